import { Drain } from '../basics/drain.ts';
import type { HeldLease } from '../basics/held-lease.ts';
import { checkOptions } from '../basics/options.ts';
import { samePool } from '../basics/pool-identity.ts';
import { Recent } from '../basics/recent.ts';
import { readLimit, shown } from '../basics/seconds.ts';
import { defaultDirectory, semaphoreDirectory, type Sharing } from '../basics/semaphore-directory.ts';
import type {
  AcquireOptions,
  Lease,
  SlotPool,
  SlotReport,
  TryAcquireOptions,
  WaitOptions,
} from '../basics/slot-pool.ts';
import { LockfileSlots } from './lockfile-slots.ts';

/** What a {@link MultiprocessSemaphore} is known by. */
export interface MultiprocessSemaphoreOptions {
  /** Any string but the empty one. All processes that use it with the same directory share the slots. */
  readonly name: string;
  /** How many slots there are, over all processes. An integer, minimum: 1. */
  readonly limit: number;
  /**
   * Where the lock files live; made, for those who share it, if it is missing. A local file system. What is there already
   * is refused if it is a link, or if others than those who share it can write to it.
   *
   * @default the environment's `THREADBUS_SEMAPHORE_DIR`, else `threadbus-<uid>`, `threadbus-g<gid>` or `threadbus-all`,
   *   by `shared`, in the system's temporary directory
   */
  readonly directory?: string | undefined;
  /**
   * Which users of the machine share it. `user`: this one alone; another user's processes count for themselves, silently.
   * `group`: those of the process's group (folders of mode 2770). `all`: everyone (mode 0777); then everyone can also
   * break the limit, by deleting files, but never do anything else. On Windows only `user`.
   *
   * @default 'user'
   */
  readonly shared?: Sharing | undefined;
}

const pools = new Recent<LockfileSlots>((pool) => pool.close());
const SHARING: readonly string[] = ['user', 'group', 'all'] satisfies Sharing[];

/**
 * The slots of one folder and limit; one object a thread, so that its calls wait in one line.
 *
 * @throws {TypeError} the name is empty, the limit no integer from 1 on, or there is no such option
 */
export function lockfileSlots(options: MultiprocessSemaphoreOptions): LockfileSlots {
  checkOptions('MultiprocessSemaphore', options, ['name', 'limit', 'directory', 'shared']);
  const { name, limit, shared = 'user' } = options;
  if (typeof name !== 'string' || name === '') {
    throw new TypeError(
      `Expected the name of a multiprocess semaphore to be a text that is not empty, got ${shown(name)}.`,
    );
  }
  readLimit('limit', limit);
  if (options.directory !== undefined && (typeof options.directory !== 'string' || options.directory === '')) {
    throw new TypeError(`Expected \`directory\` to be a path, got ${shown(options.directory)}.`);
  }
  if (!SHARING.includes(shared)) {
    throw new TypeError(`Expected \`shared\` to be one of ${SHARING.join(', ')}, got ${shown(shared)}.`);
  }
  if (shared !== 'user' && process.platform === 'win32') {
    throw new TypeError(`Expected \`shared\` to be user on Windows, which has no such permissions, got ${shared}.`);
  }
  const directory = options.directory ?? defaultDirectory(shared);
  const key = `${limit} ${shared} ${semaphoreDirectory(directory, name)}`;
  return pools.get(key, () => new LockfileSlots({ name, limit, directory, shared }));
}

/** The multiprocess semaphores that this thread has used, but for those that it has not used for long. */
export function knownLockfileSlots(): Iterable<SlotPool> {
  return pools.values();
}

/**
 * A limit that all processes of the machine share, by lock files.
 *
 * There are never more than `limit` slots held, also while a holder blocks its event loop or is stopped. The slot of one
 * that was killed (a process or a worker thread) is free again within tens of milliseconds; no signal handler is
 * installed for that. Waiters are served in order of arrival, but one that does not react for half a second is passed
 * over. Making one touches no files; the first `acquire` does. Every process must use the same limit: another one under
 * a name in use is refused.
 *
 * Owners are told apart by what the kernel knows of their threads. Across containers (other pid namespaces), machines,
 * and users that may not see each other only signs of life are left: there a holder that blocks for more than 60 s loses
 * its slot.
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
  /** How many slots there are, over all processes. */
  readonly limit: number;
  readonly #slots: LockfileSlots;
  /** Leases of this object, and its calls that wait. */
  #open = 0;
  readonly #drain = new Drain(() => this.#open === 0);

  /**
   * Touches no files yet; the first `acquire` does.
   *
   * @throws {TypeError} the name is empty, the limit no integer from 1 on, or there is no such option
   */
  constructor(options: MultiprocessSemaphoreOptions) {
    this.#slots = lockfileSlots(options);
    this.name = options.name;
    this.limit = options.limit;
    samePool(this, this.#slots);
  }

  /**
   * Waits for a slot, or for several: all or nothing.
   *
   * @returns the lease; settles once all slots are held
   * @throws {SemaphoreTimeoutError} after `timeout` seconds without them
   * @throws {SemaphoreUnavailableError} the directory can't be used
   * @throws {SemaphoreLimitError} a live process uses the name with another limit
   * @throws {TypeError} more permits than the limit, or an option that there is not
   * @throws the signal's reason, if it aborts first
   * @example
   * ```ts
   * await using lease = await gpu.acquire({ timeout: 30, signal });   // given back at the end of the block
   * await using both = await gpu.acquire({ permits: 2 });
   * ```
   */
  acquire(options?: AcquireOptions): Promise<Lease> {
    return this.#counted(this.#slots.acquire(options));
  }

  /**
   * Takes a slot, or several, if they are free now and nobody waits, in any process.
   *
   * @returns the lease, or `null` if they are busy
   * @throws {SemaphoreUnavailableError} the directory can't be used
   * @throws {SemaphoreLimitError} a live process uses the name with another limit
   * @throws {TypeError} more permits than the limit, or an option that there is not
   * @example
   * ```ts
   * const lease = await gpu.tryAcquire();
   * if (lease === null) console.log('busy, later then');
   * ```
   */
  tryAcquire(options?: TryAcquireOptions): Promise<Lease | null> {
    return this.#counted(this.#slots.tryAcquire(options));
  }

  /**
   * Waits until no lease of this object is held and no call of it waits; others, of this and other processes, don't count.
   * It takes nothing and closes nothing.
   *
   * @returns settles at the first moment that is so, at once if it is so now
   * @throws {SemaphoreTimeoutError} after `timeout` seconds
   * @throws the signal's reason, if it aborts first
   * @example
   * ```ts
   * process.once('SIGTERM', async () => {
   *   await gpu.drain({ timeout: 30 });
   *   process.exit();
   * });
   * ```
   */
  drain(options: WaitOptions = {}): Promise<void> {
    return this.#drain.wait(options, { name: this.name, limit: this.limit, scope: 'multiprocess' });
  }

  /**
   * Who holds and who waits, in all processes: why a slot is busy. Only looks, also at names that others use.
   *
   * @throws {SemaphoreUnavailableError} the directory can't be read
   * @example
   * ```ts
   * const { holders } = await gpu.inspect();
   * //=> [{ slot: 0, pid: 4711, threadId: 0, state: 'alive', since: '2025-03-01T12:00:00.000Z' }]
   * ```
   */
  inspect(): Promise<SlotReport> {
    return this.#slots.inspect();
  }

  async #counted<Granted extends HeldLease | null>(acquiring: Promise<Granted>): Promise<Granted> {
    const ended = (): void => {
      this.#open--;
      this.#drain.check();
    };
    this.#open++;
    try {
      const lease = await acquiring;
      if (lease === null) ended();
      else lease.whenGone(ended);
      return lease;
    } catch (error) {
      ended();
      throw error;
    }
  }
}
