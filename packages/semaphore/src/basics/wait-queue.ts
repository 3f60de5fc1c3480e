import type { AcquireOptions } from './slot-pool.ts';
import { readWait, startTimer } from './seconds.ts';

/** One call that waits. Settled exactly once: by `grant`, its timeout, its signal, or `fail`. */
export interface Waiter<Granted> {
  /** Where it came in line, as told to `enter`. */
  readonly place: number;
  grant(value: Granted): void;
  fail(error: Error): void;
}

/** The calls of this thread that wait for one semaphore, first come, first served. */
export class WaitQueue<Granted> {
  // A set keeps the order of arrival and forgets a waiter in the middle at constant cost.
  readonly #waiters = new Set<Waiter<Granted>>();
  readonly #onLeave: () => void;

  /** @param onLeave called after a waiter left without a grant */
  constructor(onLeave: () => void = () => {}) {
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

  /** Rejects everyone who waits. */
  failAll(error: Error): void {
    for (const waiter of this.#waiters) waiter.fail(error);
  }

  /**
   * Waits for a grant. The caller has checked that the signal has not aborted yet.
   *
   * @param timedOut makes the error for the end of `options.timeout`
   */
  enter(options: AcquireOptions, timedOut: (timeout: number) => Error, place = 0): Promise<Granted> {
    const timeout = readWait('timeout', options.timeout);
    const { signal } = options;
    return new Promise((resolve, reject) => {
      const leave = (): boolean => {
        timer?.stop();
        signal?.removeEventListener('abort', onAbort);
        return this.#waiters.delete(waiter);
      };
      const fail = (error: Error): void => {
        if (!leave()) return;
        reject(error);
        this.#onLeave();
      };
      const onAbort = (): void => fail(signal?.reason as Error);
      const timer = timeout === null ? undefined : startTimer(timeout, () => fail(timedOut(timeout)));
      const waiter: Waiter<Granted> = {
        place,
        fail,
        grant: (value) => {
          if (leave()) resolve(value);
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#waiters.add(waiter);
    });
  }
}
