import * as fs from 'node:fs';
import { replaced } from './log-file.ts';

/**
 * The names of a compaction, and what a crash can leave of it:
 *
 *   <log>.compacting          whose it is, so that there is one at a time
 *   <log>.compacted           the new log, until it takes the old one's place
 *   <log>.before-compaction   a second name of the old one, until all that it has is in the new one
 *
 * At every moment all lines that count are in the log and, if that is another file, the one before the compaction.
 */
export interface CompactionNames {
  readonly lock: string;
  readonly next: string;
  readonly before: string;
}

export function compactionNames(path: string): CompactionNames {
  return { lock: `${path}.compacting`, next: `${path}.compacted`, before: `${path}.before-compaction` };
}

/** What tells a file from all others; null if there is none. */
export function identity(path: string): string | null {
  const state = fs.statSync(path, { bigint: true, throwIfNoEntry: false });
  return state === undefined ? null : `${state.dev}:${state.ino}`;
}

/** The file that is to be read before the log, if a compaction is under way or was cut short. */
export function leftover(path: string): string | null {
  const { before } = compactionNames(path);
  const old = identity(before);
  return old === null || old === identity(path) ? null : before;
}

/** From here on writers that still have the file open find out that it has been replaced, and write again elsewhere. */
export function markReplaced(path: string): void {
  const { mode } = fs.statSync(path);
  fs.chmodSync(path, (mode & 0o777) | replaced);
}

export function removeFile(path: string): void {
  fs.rmSync(path, { force: true });
}
