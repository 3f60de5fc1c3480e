import { BaseEvent } from '@threadbus/core';
import { z } from 'zod';

/** The package that a file belongs to. */
const packageShape = z.object({
  name: z.string(),
  /** Null if its package.json has none. */
  version: z.string().nullable(),
  /** Its folder. Several copies of a package are told apart by it. */
  path: z.string(),
});

/** Sizes in bytes. */
const weightShape = z.object({ raw: z.number(), minified: z.number(), gzip: z.number(), brotli: z.number() });

const totalsShape = z.object({ files: z.number(), ...weightShape.shape });
const failureShape = z.object({ path: z.string(), package: packageShape, reason: z.string() });
const reportShape = z.object({
  totals: totalsShape,
  /** The heaviest in brotli first. */
  packages: z.array(z.object({ ...packageShape.shape, ...totalsShape.shape })),
  failures: z.array(failureShape),
});

export type Package = z.infer<typeof packageShape>;
export type Weight = z.infer<typeof weightShape>;
export type Totals = z.infer<typeof totalsShape>;
export type PackageTotals = z.infer<typeof reportShape>['packages'][number];
export type Failure = z.infer<typeof failureShape>;
export type ReportData = z.infer<typeof reportShape>;

/**
 * A file to be weighed; handled in a pool thread. Its time starts when a thread takes it and includes the wait for a
 * slot; files of 9 MB exist, and take minutes on a busy machine.
 */
export class FileFound extends BaseEvent.extend(
  'FileFound',
  { path: z.string(), size: z.number(), package: packageShape },
  { result: weightShape, timeout: 600 },
) {}

/** What a file weighs; a child of its FileFound, dispatched by the pool thread and handled by the Report bus. */
export class FileWeighed extends BaseEvent.extend('FileWeighed', {
  path: z.string(),
  package: packageShape,
  ...weightShape.shape,
}) {}

/** A file that has no weight, and why. */
export class FileFailed extends BaseEvent.extend('FileFailed', failureShape) {}

/** Asks the Report bus for everything it knows. */
export class ReportWanted extends BaseEvent.extend('ReportWanted', {}, { result: reportShape }) {}
