/** How long to wait for a slot, and what ends the wait. */
export interface AcquireOptions {
  /**
   * Longest wait in seconds, from the call on. `0` looks once; `null` or `Infinity` waits without limit.
   * Minimum: 0.
   *
   * @default null
   */
  readonly timeout?: number | null | undefined;
  /** Ends the wait: `acquire` rejects with the signal's reason. It does not release a slot that was granted. */
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
  readonly pid: number | null;
  readonly threadId: number | null;
  readonly state: 'alive' | 'dead' | 'unknown';
}

/** Who holds and who waits, at one moment. */
export interface SlotReport {
  readonly name: string;
  readonly scope: 'local' | 'global' | 'multiprocess';
  readonly limit: number;
  /** Where the slots are kept; `null` in memory. */
  readonly directory: string | null;
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
  readonly name: string;
  readonly limit: number;
  /**
   * @throws {SemaphoreTimeoutError} no slot came free in time
   * @throws {SemaphoreUnavailableError} the slots can't be reached
   * @throws {SemaphoreLimitError} the name is in use with another limit
   */
  acquire(options?: AcquireOptions): Promise<Lease>;
  inspect(): Promise<SlotReport>;
}
