import { setMaxListeners } from 'node:events';
import type { Lease } from './slot-pool.ts';

/** The lease of every pool: released or lost at most once. */
export class HeldLease<Held = undefined> implements Lease {
  /** Whether it can be lost at all. */
  readonly isLosable: boolean;
  readonly #giveBack: (held: Held) => void | Promise<void>;
  readonly #held: Held;
  // Made on demand: a controller costs more than an uncontended slot in memory.
  #controller: AbortController | undefined;
  #lost: Error | undefined;
  #isReleased = false;
  // Not kept for longer than it takes: a promise remembers the async context that it was made in.
  #releasing: void | Promise<void> = undefined;
  #onGone: (() => void) | undefined;

  /**
   * @param giveBack frees the slots; never throws
   * @param held what it gets: so one function can serve all leases of a pool
   */
  constructor(giveBack: (held: Held) => void | Promise<void>, held: Held, isLosable = false) {
    this.isLosable = isLosable;
    this.#giveBack = giveBack;
    this.#held = held;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      setMaxListeners(0, this.#controller.signal);
      if (this.#lost !== undefined) this.#controller.abort(this.#lost);
    }
    return this.#controller.signal;
  }

  /** Calls back, once, when it is released or lost. There is one who asks: the object that gave it out. */
  whenGone(callback: () => void): void {
    if (this.#isReleased || this.#lost !== undefined) callback();
    else this.#onGone = callback;
  }

  /** Tells the holder that a slot is no longer its own. After `release()` nobody cares. */
  lose(reason: Error): void {
    if (this.#isReleased || this.#lost !== undefined) return;
    this.#lost = reason;
    this.#gone();
    this.#controller?.abort(reason);
  }

  release(): Promise<void> {
    if (!this.#isReleased) {
      this.#isReleased = true;
      this.#releasing = this.#giveBack(this.#held);
      this.#gone();
    }
    return this.#releasing === undefined ? Promise.resolve() : this.#released();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  async #released(): Promise<void> {
    await this.#releasing;
    this.#releasing = undefined;
  }

  #gone(): void {
    const callback = this.#onGone;
    this.#onGone = undefined;
    callback?.();
  }
}
