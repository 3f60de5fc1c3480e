import { onAbort } from './abort.ts';
import { startTimer } from './seconds.ts';

/** One call that waits. Settled exactly once: by `grant`, its timeout, its signal, or `fail`. */
export interface Waiter<Granted> {
  /** Where it came in line, as told to `enter`. */
  readonly place: number;
  /** How much of it, as told to `enter`. */
  readonly permits: number;
  /** When it came, in ms since 1970. */
  readonly since: number;
  grant(value: Granted): void;
  fail(error: Error): void;
}

/** What a call waits for, and what ends the wait. */
export interface Entry {
  readonly timeout: number | null;
  readonly signal: AbortSignal | undefined;
  readonly permits?: number;
  readonly place?: number;
}

/** The calls of this thread that wait for one thing, first come, first served. */
export class WaitQueue<Granted> implements Iterable<Waiter<Granted>> {
  // A set keeps the order of arrival and forgets a waiter in the middle at constant cost.
  readonly #waiters = new Set<Waiter<Granted>>();
  readonly #onLeave: (waiter: Waiter<Granted>) => void;
  #newest: Waiter<Granted> | undefined;

  /** @param onLeave called after a waiter left without a grant */
  constructor(onLeave: (waiter: Waiter<Granted>) => void = () => {}) {
    this.#onLeave = onLeave;
  }

  get size(): number {
    return this.#waiters.size;
  }

  /** Who is served next. */
  get first(): Waiter<Granted> | undefined {
    for (const waiter of this.#waiters) return waiter;
    return undefined;
  }

  /** Who came last. */
  get newest(): Waiter<Granted> | undefined {
    return this.#newest;
  }

  [Symbol.iterator](): Iterator<Waiter<Granted>> {
    return this.#waiters[Symbol.iterator]();
  }

  /** Rejects everyone who waits. */
  failAll(error: Error): void {
    for (const waiter of this.#waiters) waiter.fail(error);
  }

  /**
   * Waits for a grant. The caller has checked that the signal has not aborted yet.
   *
   * @param timedOut makes the error for the end of the timeout
   */
  enter(entry: Entry, timedOut: (timeout: number) => Error): Promise<Granted> {
    const { timeout, signal, permits = 1, place = 0 } = entry;
    return new Promise((resolve, reject) => {
      const leave = (): boolean => {
        timer?.stop();
        off?.();
        if (this.#newest === waiter) this.#newest = undefined;
        return this.#waiters.delete(waiter);
      };
      const fail = (error: Error): void => {
        if (!leave()) return;
        reject(error);
        this.#onLeave(waiter);
      };
      const timer = timeout === null ? undefined : startTimer(timeout, () => fail(timedOut(timeout)));
      const off = signal && onAbort(signal, () => fail(signal.reason as Error));
      const waiter: Waiter<Granted> = {
        place,
        permits,
        since: Date.now(),
        fail,
        grant: (value) => {
          if (leave()) resolve(value);
        },
      };
      this.#waiters.add(waiter);
      this.#newest = waiter;
    });
  }
}
