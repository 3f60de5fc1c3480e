import { setMaxListeners } from 'node:events';
import { onAbort } from '../basics/abort.ts';
import { startTimer, type Timer } from '../basics/seconds.ts';

/** Ends a call from outside: its caller's signals, and the limit for all its attempts and waits together. */
export class CallStop {
  /** Aborts with the reason of the signal that did first. */
  readonly signal: AbortSignal;
  /** Why the signal has aborted: the time is up, not a signal of the caller. */
  #isTimeUp = false;
  readonly #deadline: number;
  readonly #off: (() => void)[] = [];
  #timer: Timer | undefined;

  /** @returns `undefined` if nothing can end the call from outside */
  static of(
    ofOptions: AbortSignal | undefined,
    ofArguments: AbortSignal | undefined,
    totalTimeout: number | null,
  ): CallStop | undefined {
    if (ofOptions === undefined && ofArguments === undefined && totalTimeout === null) return undefined;
    return new CallStop(
      [ofOptions, ofArguments].filter((signal) => signal !== undefined),
      totalTimeout,
    );
  }

  private constructor(signals: readonly AbortSignal[], totalTimeout: number | null) {
    this.#deadline = totalTimeout === null ? Infinity : performance.now() + totalTimeout * 1000;
    const aborted = signals.find((signal) => signal.aborted);
    const [only] = signals;
    if (aborted !== undefined || (only !== undefined && signals.length === 1 && totalTimeout === null)) {
      this.signal = aborted ?? (only as AbortSignal);
      return;
    }
    const controller = new AbortController();
    setMaxListeners(0, controller.signal);
    this.signal = controller.signal;
    for (const signal of signals) {
      this.#off.push(onAbort(signal, () => controller.abort(signal.reason)));
    }
    if (totalTimeout === null) return;
    this.#timer = startTimer(totalTimeout, () => {
      if (controller.signal.aborted) return;
      this.#isTimeUp = true;
      controller.abort();
    });
  }

  get isTimeUp(): boolean {
    return this.#isTimeUp;
  }

  /** Seconds until the time is up. */
  get timeLeft(): number {
    return (this.#deadline - performance.now()) / 1000;
  }

  /** Calls back once when the call is to end; the caller has checked that it is not so yet. @returns takes it off */
  onStop(callback: () => void): () => void {
    return onAbort(this.signal, callback);
  }

  /** Settles as the promise does, or rejects as soon as the call is to end. */
  race<Value>(promise: PromiseLike<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      const off = this.onStop(() => reject(this.signal.reason as Error));
      promise.then(resolve, reject).then(off, off);
    });
  }

  close(): void {
    this.#timer?.stop();
    for (const off of this.#off) off();
  }
}
