import type { Lease } from './slot-pool.ts';

/** The lease of every pool: released or lost at most once. */
export class HeldLease implements Lease {
  readonly #giveBack: () => void | Promise<void>;
  // Made on demand: a controller costs more than an uncontended slot in memory.
  #controller: AbortController | undefined;
  #lost: Error | undefined;
  #isReleased = false;
  // Not kept for longer than it takes: a promise remembers the async context that it was made in.
  #releasing: void | Promise<void> = undefined;

  /** @param giveBack frees the slot; never throws */
  constructor(giveBack: () => void | Promise<void>) {
    this.#giveBack = giveBack;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#lost !== undefined) this.#controller.abort(this.#lost);
    }
    return this.#controller.signal;
  }

  /** Tells the holder that the slot is no longer its own. After `release()` nobody cares. */
  lose(reason: Error): void {
    if (this.#isReleased || this.#lost !== undefined) return;
    this.#lost = reason;
    this.#controller?.abort(reason);
  }

  async release(): Promise<void> {
    if (!this.#isReleased) {
      this.#isReleased = true;
      this.#releasing = this.#giveBack();
    }
    await this.#releasing;
    this.#releasing = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
