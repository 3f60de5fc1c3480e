/**
 * A board in a file that two processes have open and nobody else can: its name is gone before anything is written.
 *
 * What a process has written into a file outlives it, however it ends, and writing there never waits for the reader, as
 * it would for a pipe that is full. The pages of the file are the same memory for both: a write costs half a microsecond.
 * So there is one for the start of a handler and one for its end, whatever they change.
 *
 * Layout:
 *   Int32 [watched, 0]             written by both sides
 *   Int32 [token, slot, kind, born], Float64 [startedAt, timeout], Int32 [token, unwritten]
 *   Float64 for each slot
 *   Int32 length of the last words of the process, and so many bytes
 *
 * Reading and writing are not one step: a holder counts only if the token is the same in front and behind.
 *
 * A slot holds when, in monotonic milliseconds, the process has last noted what becomes of the event in it: as it is
 * if something has started for the event, negative if a handler of it runs. What stands there from before the event was
 * sent is about another one that had the slot; so nobody has to clear it.
 */
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '@threadbus/core/internal';
import { slotCount } from '../thread/board.ts';

export const watchedAt = 0;
export const holderAt = 8;
/** All that is written when a handler starts or ends, with the slots behind it. */
export const holderSize = 40;
/** In what the holder takes. */
export const holderFields = {
  token: 0,
  slot: 4,
  kind: 8,
  born: 12,
  startedAt: 16,
  timeout: 24,
  tokenAgain: 32,
  unwritten: 36,
} as const;
export const slotSize = 8;
export const slotsAt: number = holderAt + holderSize;
export const wordsAt: number = slotsAt + slotCount * slotSize;
/** Bytes of last words that are kept. */
export const longestWords = 65_536;

/** A file without a name, all zeros. In memory where the system has a place for that, else where temporary files are. */
export function openBoard(): number {
  let failure: unknown;
  for (const folder of ['/dev/shm', tmpdir()]) {
    const path = join(folder, `threadbus-board-${newId()}`);
    try {
      const fd = openSync(path, 'wx+', 0o600);
      try {
        unlinkSync(path);
        writeSync(fd, Buffer.alloc(wordsAt + 4), 0, wordsAt + 4, 0);
        return fd;
      } catch (error) {
        closeSync(fd);
        throw error;
      }
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
