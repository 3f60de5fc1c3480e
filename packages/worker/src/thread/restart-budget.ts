/** So many restarts in so many seconds; more means that a restart doesn't help. */
const restarts = 5;
const period = 30;
/** Seconds before the second restart in a row; doubled for each further one. The first comes at once. */
const firstDelay = 0.05;

/** How often a thread may be replaced, and how soon. */
export class RestartBudget {
  #times: number[] = [];

  /** @returns seconds to wait before the next restart; null if there were too many */
  next(now: number): number | null {
    this.#times = this.#times.filter((time) => now - time < period * 1000);
    if (this.#times.length >= restarts) return null;
    const delay = this.#times.length === 0 ? 0 : firstDelay * 2 ** (this.#times.length - 1);
    this.#times.push(now);
    return delay;
  }

  static readonly text: string = `${restarts} times within ${period} s`;
}
