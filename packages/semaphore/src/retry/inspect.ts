import { isSemaphoreLimitError } from '../basics/errors.ts';
import { knownLockfileSlots } from '../lockfile/multiprocess-semaphore.ts';
import { knownSharedSlots } from './scope.ts';
import type { SlotReport } from '../basics/slot-pool.ts';

/**
 * Who holds and who waits, for every semaphore of scope `global` or `multiprocess` that this thread has used.
 *
 * For a semaphore that is an object of its own, and for names that this thread has not used, see
 * `MultiprocessSemaphore.inspect()` and `Semaphore.inspect()`. Takes no slot and changes nothing.
 *
 * @throws {SemaphoreUnavailableError} the slots can't be reached
 * @example
 * ```ts
 * for (const { name, limit, holders, waiters } of await inspect()) {
 *   console.log(`${name}: ${holders.length} of ${limit} held, ${waiters.length} threads wait`);
 *   for (const { slot, pid, threadId, state } of holders) console.log(`  slot ${slot}: ${pid}/${threadId}, ${state}`);
 * }
 * ```
 */
export async function inspect(): Promise<SlotReport[]> {
  const reports: SlotReport[] = [];
  for (const pool of [...knownSharedSlots(), ...knownLockfileSlots()]) {
    try {
      reports.push(await pool.inspect());
    } catch (error) {
      // Asked for with another limit than it has, so it was never used.
      if (!isSemaphoreLimitError(error)) throw error;
    }
  }
  return reports;
}
