import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Package } from './events.ts';
import { PackageFinder } from './package-of.ts';

/** A file to weigh. */
export interface SourceFile {
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  readonly package: Package;
}

const SOURCE = /\.[cm]?js$/;

/**
 * Every .js, .mjs and .cjs file below the folders, always in the same order.
 *
 * Links are not followed, so nothing comes twice and this project's own packages, which npm links into node_modules, are
 * not third parties. Left out is `node_modules/.cache`, where tools keep their own files.
 *
 * @param onUnreadable told of folders that can't be read; they are left out
 */
export async function* sourceFiles(
  folders: readonly string[],
  onUnreadable: (error: NodeJS.ErrnoException) => void = () => {},
  packages: PackageFinder = new PackageFinder(),
): AsyncGenerator<SourceFile> {
  for (const folder of folders) yield* filesBelow(folder, onUnreadable, packages);
}

async function* filesBelow(
  folder: string,
  onUnreadable: (error: NodeJS.ErrnoException) => void,
  packages: PackageFinder,
): AsyncGenerator<SourceFile> {
  for (const entry of await entriesOf(folder, onUnreadable)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) {
      if (!isCache(path)) yield* filesBelow(path, onUnreadable, packages);
    } else if (entry.isFile() && SOURCE.test(entry.name)) {
      const size = await sizeOf(path);
      if (size !== null) yield { path, size, package: await packages.packageOf(folder) };
    }
  }
}

/** One of `n` files, spread over all of them; adds up their bytes. */
export async function* everyNth(
  n: number,
  files: AsyncIterable<SourceFile>,
  given: { bytes: number },
): AsyncGenerator<SourceFile> {
  let at = 0;
  for await (const file of files) {
    if (at % n === 0) {
      given.bytes += file.size;
      yield file;
    }
    at += 1;
  }
}

/** How many files there will be, for whoever wants to know how far the work is. */
export async function countFiles(
  folders: readonly string[],
  signal: AbortSignal,
  onUnreadable: (error: NodeJS.ErrnoException) => void,
): Promise<{ files: number; bytes: number }> {
  const all = { files: 0, bytes: 0 };
  for await (const { size } of sourceFiles(folders, onUnreadable)) {
    signal.throwIfAborted();
    all.files += 1;
    all.bytes += size;
  }
  return all;
}

async function entriesOf(folder: string, onUnreadable: (error: NodeJS.ErrnoException) => void) {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    onUnreadable(error as NodeJS.ErrnoException);
    return [];
  }
}

/** Null if it has gone since it was listed. */
async function sizeOf(path: string): Promise<number | null> {
  try {
    return (await lstat(path)).size;
  } catch {
    return null;
  }
}

function isCache(path: string): boolean {
  return path.endsWith(join('node_modules', '.cache'));
}
