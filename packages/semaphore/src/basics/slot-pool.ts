import { checkOptions, checkSignal } from './options.ts';
import { readWait, shown } from './seconds.ts';

/** How long to wait, and what ends the wait. */
export interface WaitOptions {
  /**
   * Longest wait in seconds, from the call on. `0` looks once; `null` or `Infinity` waits without limit.
   * Minimum: 0.
   *
   * @default null
   */
  readonly timeout?: number | null | undefined;
  /**
   * Ends the wait: the call rejects with the signal's reason. It does not release a slot that was granted.
   *
   * @default none
   */
  readonly signal?: AbortSignal | undefined;
}

/** How many slots to take. */
export interface TryAcquireOptions {
  /**
   * How many slots the lease holds: all of them or none. An integer from 1 to the limit.
   *
   * @default 1
   */
  readonly permits?: number | undefined;
}

/** How many slots to take, how long to wait for them, and what ends the wait. */
export interface AcquireOptions extends WaitOptions, TryAcquireOptions {}

/** Slots that are held until `release()`. */
export interface Lease extends AsyncDisposable {
  /** Aborts if a slot is ever lost, with a `SemaphoreLostError` as reason; only a multiprocess slot can be. */
  readonly signal: AbortSignal;
  /** Gives all slots back; the second call does nothing. Settles once they are free, and never rejects. */
  release(): Promise<void>;
}

/** Who holds a slot: the answer to "why is it busy?". */
export interface SlotHolder {
  /** Index of the slot, from 0 to limit - 1. */
  readonly slot: number;
  /** The holder's process; `null` if it is not known. */
  readonly pid: number | null;
  /** The holder's `threadId` (`node:worker_threads`), 0 for a main thread; `null` if it is not known. */
  readonly threadId: number | null;
  /**
   * `alive`: its thread runs or is stopped; the slot stays busy until it is released.
   * `dead`: its thread or process has ended; the next call that wants a slot takes this one.
   * `unknown`: of another machine, container or user; the slot comes free once it gave no sign of life for 60 s.
   */
  readonly state: 'alive' | 'dead' | 'unknown';
  /** When it got the slot, ISO 8601 in UTC. */
  readonly since: string;
}

/** One call that waits for slots. */
export interface SlotWaiter {
  /** The waiter's process; `null` if it is not known. */
  readonly pid: number | null;
  /** The waiter's `threadId`, 0 for a main thread; `null` if it is not known. */
  readonly threadId: number | null;
  /** As of a holder: `alive`, `dead` (passed over), or `unknown` (not visible from here). */
  readonly state: 'alive' | 'dead' | 'unknown';
  /** When the call began to wait, ISO 8601 in UTC. */
  readonly since: string;
  /** How many slots it wants. */
  readonly permits: number;
}

/** Who holds and who waits, at one moment. */
export interface SlotReport {
  /** The semaphore's name, or the function's. */
  readonly name: string;
  /** Who shares the limit: this thread, the process, the machine, or several machines. */
  readonly scope: 'local' | 'global' | 'multiprocess' | 'cluster';
  /** How many slots there are. */
  readonly limit: number;
  /** Where the slots are kept; `null` in memory. */
  readonly directory: string | null;
  /** One entry a held slot, by slot. A call that has but some of the slots that it wants is a waiter still. */
  readonly holders: readonly SlotHolder[];
  /** One entry a call, in the order in which they will be served; of each other thread its first ones. */
  readonly waiters: readonly SlotWaiter[];
}

/**
 * The seam between limits and where they are kept: in this thread's memory, in memory shared by all threads, in lock
 * files, in a store between machines.
 *
 * An implementation never has more than `limit` slots held at once, serves waiters in the order in which they came, and
 * leaves nothing behind of a wait that ended without a slot.
 */
export interface SlotPool {
  /** What the slots are called in errors and reports. */
  readonly name: string;
  /** How many slots there are. */
  readonly limit: number;
  /**
   * Waits for slots.
   *
   * @returns the lease; settles once all of them are held
   * @throws {SemaphoreTimeoutError} they didn't come free in time
   * @throws {SemaphoreUnavailableError} the slots can't be reached
   * @throws {SemaphoreLimitError} the name is in use with another limit
   * @throws {TypeError} more permits than the limit, or an option that there is not
   */
  acquire(options?: AcquireOptions): Promise<Lease>;
  /**
   * Takes slots that are free now and that nobody waits for.
   *
   * @returns the lease, or `null` if they are busy
   * @throws {SemaphoreUnavailableError} the slots can't be reached
   * @throws {SemaphoreLimitError} the name is in use with another limit
   * @throws {TypeError} more permits than the limit, or an option that there is not
   */
  tryAcquire(options?: TryAcquireOptions): Promise<Lease | null>;
  /** Who holds and who waits; takes no slot and changes nothing. */
  inspect(): Promise<SlotReport>;
}

/** The options of one `acquire`, checked. */
export interface ResolvedAcquire {
  readonly timeout: number | null;
  readonly signal: AbortSignal | undefined;
  readonly permits: number;
}

const noOptions: ResolvedAcquire = { timeout: null, signal: undefined, permits: 1 };

/** @throws {TypeError} */
export function readAcquire(options: AcquireOptions | undefined, limit: number): ResolvedAcquire {
  if (options === undefined) return noOptions;
  checkOptions('acquire()', options, ['timeout', 'signal', 'permits']);
  checkSignal('signal', options.signal);
  const { timeout, signal, permits } = options;
  return { timeout: readWait('timeout', timeout), signal, permits: readPermits(permits, limit) };
}

/** @throws {TypeError} */
export function readTryAcquire(options: TryAcquireOptions | undefined, limit: number): number {
  if (options === undefined) return 1;
  checkOptions('tryAcquire()', options, ['permits']);
  return readPermits(options.permits, limit);
}

function readPermits(permits: number | undefined, limit: number): number {
  if (permits === undefined) return 1;
  if (Number.isSafeInteger(permits) && permits >= 1 && permits <= limit) return permits;
  throw new TypeError(`Expected \`permits\` to be an integer from 1 to the limit of ${limit}, got ${shown(permits)}.`);
}
