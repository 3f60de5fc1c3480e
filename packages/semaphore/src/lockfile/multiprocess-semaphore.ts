import { LockfileSlots } from './lockfile-slots.ts';
import { readLimit, shown } from '../basics/seconds.ts';
import { defaultDirectory, semaphoreDirectory } from '../basics/semaphore-directory.ts';
import type { AcquireOptions, Lease, SlotPool, SlotReport } from '../basics/slot-pool.ts';

/** What a {@link MultiprocessSemaphore} is known by. */
export interface MultiprocessSemaphoreOptions {
  /** Any string but the empty one. All processes that use it with the same directory share the slots. */
  readonly name: string;
  /** How many leases there may be at once, over all processes. An integer, minimum: 1. */
  readonly limit: number;
  /**
   * Where the lock files live; made for this user alone (0700) if it is missing. A local file system.
   *
   * @default the environment's `THREADBUS_SEMAPHORE_DIR`, else `threadbus-<uid>` in the system's temporary directory
   */
  readonly directory?: string | undefined;
}

const pools = new Map<string, LockfileSlots>();

/** The slots of one folder and limit; one object a thread, so that its calls wait in one line. */
export function lockfileSlots({ name, limit, directory }: MultiprocessSemaphoreOptions): LockfileSlots {
  if (typeof name !== 'string' || name === '') {
    throw new TypeError(
      `Expected the name of a multiprocess semaphore to be a text that is not empty, got ${shown(name)}.`,
    );
  }
  readLimit('limit', limit);
  const key = `${limit} ${semaphoreDirectory(directory ?? defaultDirectory(), name)}`;
  let pool = pools.get(key);
  if (pool === undefined) pools.set(key, (pool = new LockfileSlots(name, limit, directory)));
  return pool;
}

/** The multiprocess semaphores that this thread has made. */
export function knownLockfileSlots(): Iterable<SlotPool> {
  return pools.values();
}

/**
 * A limit that all processes of the machine share, by lock files.
 *
 * There are never more than `limit` holders, also while a holder blocks its event loop or is stopped. The slot of one
 * that was killed (a process or a worker thread) is free again within tens of milliseconds. Waiters are served in order
 * of arrival, but a slot whose turn is a waiter's that does not react goes to the next. Making one touches no files; the
 * first `acquire` does. Every process must use the same limit: another one under a name in use is refused.
 *
 * Owners are told apart by what the kernel knows of their threads. Across containers (other pid namespaces) and
 * machines only heartbeats are left: there a holder that blocks for more than 60 s loses its slot.
 *
 * @example
 * ```ts
 * const gpu = new MultiprocessSemaphore({ name: 'gpu', limit: 2 });
 * await using lease = await gpu.acquire({ timeout: 30 });
 * await render({ signal: lease.signal });
 * ```
 */
export class MultiprocessSemaphore implements SlotPool {
  /** By which processes find each other. */
  readonly name: string;
  /** How many leases there may be at once, over all processes. */
  readonly limit: number;
  readonly #slots: LockfileSlots;

  /**
   * Touches no files yet; the first `acquire` does.
   *
   * @throws {TypeError} the name is empty, or the limit no integer from 1 on
   */
  constructor(options: MultiprocessSemaphoreOptions) {
    this.#slots = lockfileSlots(options);
    this.name = options.name;
    this.limit = options.limit;
  }

  /**
   * Waits for a slot.
   *
   * @returns the lease; settles once a slot is held
   * @throws {SemaphoreTimeoutError} after `timeout` seconds without a slot
   * @throws {SemaphoreUnavailableError} the directory can't be used
   * @throws {SemaphoreLimitError} a live process uses the name with another limit
   * @throws the signal's reason, if it aborts first
   * @example
   * ```ts
   * await using lease = await gpu.acquire({ timeout: 30, signal });   // given back at the end of the block
   * ```
   */
  acquire(options: AcquireOptions = {}): Promise<Lease> {
    return this.#slots.acquire(options);
  }

  /**
   * Who holds and who waits, in all processes: why a slot is busy. Only looks, also at names that others use.
   *
   * @throws {SemaphoreUnavailableError} the directory can't be read
   * @example
   * ```ts
   * const { holders } = await gpu.inspect();
   * //=> [{ slot: 0, pid: 4711, threadId: 0, state: 'alive' }]
   * ```
   */
  inspect(): Promise<SlotReport> {
    return this.#slots.inspect();
  }
}
