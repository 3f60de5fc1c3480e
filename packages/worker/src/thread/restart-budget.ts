import type { RestartLimit } from '../options.ts';

/** Seconds before the second restart in a row; doubled for each further one. The first comes at once. */
const secondDelay = 0.1;
const longestDelay = 30;

/** How a thread ended. */
export interface EndOfLife {
  /** It crashed, or couldn't be started; if not, it was ended for a handler that is known to have blocked it. */
  readonly crashed: boolean;
  /** It had completed an event: what is wrong with it isn't always so. */
  readonly useful: boolean;
}

/**
 * How often a thread may be replaced, and how soon.
 *
 * It is there for threads that crash whatever they are given. One that was ended for a handler, or crashes after work
 * that it could do, is replaced at once, however often that is.
 */
export class RestartBudget {
  readonly #limit: RestartLimit;
  /** When those that count took place, as far as they lie within the period. */
  #times: number[] = [];
  /** How many of them came in a row. */
  #row = 0;
  #latest = -Infinity;

  constructor(limit: RestartLimit) {
    this.#limit = limit;
  }

  /**
   * @param now milliseconds of a clock that nobody sets
   * @returns seconds to wait before the restart; null if there were too many
   */
  next({ crashed, useful }: EndOfLife, now: number): number | null {
    if (useful) {
      this.#times = [];
      this.#row = 0;
    }
    if (useful || !crashed) return 0;
    const { limit, within } = this.#limit;
    this.#times = this.#times.filter((time) => now - time < within * 1000);
    if (this.#times.length >= limit) return null;
    if (now - this.#latest >= within * 1000) this.#row = 0;
    const delay = this.#row === 0 ? 0 : Math.min(longestDelay, secondDelay * 2 ** (this.#row - 1));
    this.#row += 1;
    this.#times.push(now);
    this.#latest = now + delay * 1000;
    return delay;
  }

  get text(): string {
    return `${this.#limit.limit} times within ${this.#limit.within} s`;
  }
}
