/** How long to wait for a slot, and what ends the wait. */
export interface AcquireOptions {
  /**
   * Longest wait in seconds, from the call on. `0` looks once; `null` or `Infinity` waits without limit.
   * Minimum: 0.
   *
   * @default null
   */
  readonly timeout?: number | null | undefined;
  /**
   * Ends the wait: `acquire` rejects with the signal's reason. It does not release a slot that was granted.
   *
   * @default none
   */
  readonly signal?: AbortSignal | undefined;
}

/** A slot that is held until `release()`. */
export interface Lease extends AsyncDisposable {
  /** Aborts if the slot is ever lost, with a `SemaphoreLostError` as reason; only a multiprocess slot can be. */
  readonly signal: AbortSignal;
  /** Gives the slot back; the second call does nothing. Settles once the slot is free, and never rejects. */
  release(): Promise<void>;
}

/** Who holds a slot: the answer to "why is it busy?". */
export interface SlotHolder {
  /** Index of the slot, from 0 to limit - 1. */
  readonly slot: number;
  /** The holder's process; `null` if its mark can't be read. */
  readonly pid: number | null;
  /** The holder's `threadId` (`node:worker_threads`), 0 for a main thread; `null` if its mark can't be read. */
  readonly threadId: number | null;
  /**
   * `alive`: its thread runs or is stopped; the slot stays busy until it is released.
   * `dead`: its thread or process has ended; the next call that wants a slot takes this one.
   * `unknown`: of another machine, container or user; the slot comes free once its heartbeat is 60 s old.
   */
  readonly state: 'alive' | 'dead' | 'unknown';
}

/** Calls of one thread that wait for a slot, as one entry. */
export interface SlotWaiter {
  /** The waiter's process; `null` if its mark can't be read. */
  readonly pid: number | null;
  /** The waiter's `threadId`, 0 for a main thread; `null` if its mark can't be read. */
  readonly threadId: number | null;
  /** As of a holder: `alive`, `dead` (passed over), or `unknown` (not visible from here). */
  readonly state: 'alive' | 'dead' | 'unknown';
}

/** Who holds and who waits, at one moment. */
export interface SlotReport {
  /** The semaphore's name, or the function's. */
  readonly name: string;
  /** Who shares the limit: this thread, the process, or the machine. */
  readonly scope: 'local' | 'global' | 'multiprocess';
  /** How many leases there may be at once. */
  readonly limit: number;
  /** Where the slots are kept; `null` in memory. */
  readonly directory: string | null;
  /** At most `limit`, by slot. */
  readonly holders: readonly SlotHolder[];
  /** In the order in which they will be served; one entry for each thread, for a local semaphore one for each call. */
  readonly waiters: readonly SlotWaiter[];
}

/**
 * The seam between limits and where they are kept: in this thread's memory, in memory shared by all threads, in lock
 * files; later in a store between machines.
 *
 * An implementation never has more than `limit` leases at once, serves waiters in the order in which they came, and
 * leaves nothing behind of a wait that ended without a slot.
 */
export interface SlotPool {
  /** What the slots are called in errors and reports. */
  readonly name: string;
  /** How many leases there may be at once. */
  readonly limit: number;
  /**
   * Waits for a slot.
   *
   * @returns the lease; settles once a slot is held
   * @throws {SemaphoreTimeoutError} no slot came free in time
   * @throws {SemaphoreUnavailableError} the slots can't be reached
   * @throws {SemaphoreLimitError} the name is in use with another limit
   */
  acquire(options?: AcquireOptions): Promise<Lease>;
  /** Who holds and who waits; takes no slot and changes nothing. */
  inspect(): Promise<SlotReport>;
}
