import { MemorySlots } from './memory-slots.ts';
import { readLimit } from '../basics/seconds.ts';
import type { AcquireOptions, Lease, SlotPool, SlotReport } from '../basics/slot-pool.ts';

/**
 * A limit within one thread; whoever has the object shares it.
 *
 * Waiters are served first come, first served. Acquiring again while holding a slot takes another one: unlike a function
 * wrapped in `retry` it does not know who asks.
 *
 * @example
 * ```ts
 * const uploads = new Semaphore(3);
 * await using lease = await uploads.acquire({ timeout: 10 });
 * await upload(file);
 * ```
 */
export class Semaphore implements SlotPool {
  /** The same for all: it is the object that is shared, not the name. */
  readonly name = 'Semaphore';
  /** How many leases there may be at once. */
  readonly limit: number;
  readonly #slots: MemorySlots;

  /**
   * Makes a limit of its own; it is known to nobody else.
   *
   * @param limit how many leases there may be at once. An integer, minimum: 1
   * @throws {TypeError} the limit is no integer from 1 on
   */
  constructor(limit: number) {
    this.limit = readLimit('limit', limit);
    this.#slots = new MemorySlots(this.name, limit);
  }

  /**
   * Waits for a slot.
   *
   * @returns the lease; settles once a slot is held
   * @throws {SemaphoreTimeoutError} after `timeout` seconds without a slot
   * @throws the signal's reason, if it aborts first
   * @example
   * ```ts
   * await using lease = await uploads.acquire({ timeout: 10, signal });   // given back at the end of the block
   * ```
   */
  acquire(options: AcquireOptions = {}): Promise<Lease> {
    return this.#slots.acquire(options);
  }

  /** Which slots are held, and how many calls wait. */
  inspect(): Promise<SlotReport> {
    return this.#slots.inspect();
  }
}
