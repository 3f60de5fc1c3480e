import { createRequire } from 'node:module';
import type { z } from 'zod';

/** What is used of zod. */
export type Zod = Pick<typeof z, 'ZodObject' | 'unknown' | 'safeParse'>;

let brought: Zod | null = null;

/**
 * The package's index brings zod, and nothing else does: a thread that only carries events, and whose modules describe
 * none, doesn't load it (95 files, 3 MB).
 */
export function bringZod(given: Zod): void {
  brought = given;
}

/** Without the index there is still a class to extend: that of an event that has come. */
export function zod(): Zod {
  return (brought ??= createRequire(import.meta.url)('zod') as Zod);
}
