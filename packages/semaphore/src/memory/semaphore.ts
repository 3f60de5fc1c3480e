import { readLimit } from '../basics/seconds.ts';
import type {
  AcquireOptions,
  Lease,
  SlotPool,
  SlotReport,
  TryAcquireOptions,
  WaitOptions,
} from '../basics/slot-pool.ts';
import { MemorySlots } from './memory-slots.ts';

/**
 * A limit within one thread; whoever has the object shares it.
 *
 * Waiters are served first come, first served: one that wants many slots is not overtaken by those that want few.
 * Acquiring again while holding a slot takes another one: unlike a function wrapped in `retry` it does not know who asks.
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
  readonly #slots: MemorySlots;

  /**
   * Makes a limit of its own; it is known to nobody else.
   *
   * @param limit how many slots there are. An integer, minimum: 1
   * @throws {TypeError} the limit is no integer from 1 on
   */
  constructor(limit: number) {
    this.#slots = new MemorySlots(this.name, readLimit('limit', limit));
  }

  /** How many slots there are; `setLimit` changes it. */
  get limit(): number {
    return this.#slots.limit;
  }

  /**
   * Waits for a slot, or for several: all or nothing.
   *
   * @returns the lease; settles once all slots are held
   * @throws {SemaphoreTimeoutError} after `timeout` seconds without them
   * @throws {SemaphoreLimitError} `setLimit` has left fewer than it waits for
   * @throws {TypeError} more permits than the limit, or an option that there is not
   * @throws the signal's reason, if it aborts first
   * @example
   * ```ts
   * await using lease = await uploads.acquire({ timeout: 10, signal });   // given back at the end of the block
   * await using all = await uploads.acquire({ permits: 3 });              // waits until it has three of them
   * ```
   */
  acquire(options?: AcquireOptions): Promise<Lease> {
    return this.#slots.acquire(options);
  }

  /**
   * Takes a slot, or several, if they are free now and nobody waits.
   *
   * @returns the lease, or `null` if they are busy
   * @throws {TypeError} more permits than the limit, or an option that there is not
   * @example
   * ```ts
   * const lease = await uploads.tryAcquire();
   * if (lease === null) console.log('busy, later then');
   * ```
   */
  tryAcquire(options?: TryAcquireOptions): Promise<Lease | null> {
    return this.#slots.tryAcquire(options);
  }

  /**
   * Waits until no lease is held and nobody waits. It takes nothing and closes nothing: who comes meanwhile is served.
   *
   * @returns settles at the first moment that is so, at once if it is so now
   * @throws {SemaphoreTimeoutError} after `timeout` seconds
   * @throws the signal's reason, if it aborts first
   * @example
   * ```ts
   * await uploads.drain({ timeout: 30 });   // before the process ends
   * ```
   */
  drain(options?: WaitOptions): Promise<void> {
    return this.#slots.drain(options);
  }

  /**
   * Changes how many slots there are. Up: who waits is served at once, in order. Down: nobody loses a lease, and none is
   * given until held and wanted slots fit; a waiter that wants more than the new limit gets a `SemaphoreLimitError`.
   *
   * @param limit an integer, minimum: 1
   * @throws {TypeError} the limit is no integer from 1 on
   * @example
   * ```ts
   * uploads.setLimit(1);   // the line is slow
   * ```
   */
  setLimit(limit: number): void {
    this.#slots.setLimit(limit);
  }

  /** Which slots are held, and which calls wait. */
  inspect(): Promise<SlotReport> {
    return this.#slots.inspect();
  }
}
