/** Seconds that calls which a thread was given ahead may have to wait for it, as things look. */
export const horizon = 0.02;
/** The most that a thread is given ahead. */
const maxAhead = 32;
/** Seconds by which one call may differ from the mean in any case. */
const least = 0.002;
/** The share of the mean that one call is. */
const weight = 1 / 8;

/**
 * How long the handlers of modules have taken lately, and so how many of their calls a thread may be given ahead.
 *
 * One that took far longer than the mean may have been held up: it counts for little, as what was given ahead of others
 * like it is taken back in time.
 */
export class RunTimes {
  /** In seconds, by URL. */
  readonly #means = new Map<string, number>();

  add(entry: string, ran: number): void {
    const mean = this.#means.get(entry) ?? ran;
    this.#means.set(entry, mean + (Math.min(ran, 2 * mean + least) - mean) * weight);
  }

  /** None before the first has ended. */
  ahead(entry: string): number {
    const mean = this.#means.get(entry);
    if (mean === undefined) return 0;
    return mean * maxAhead <= horizon ? maxAhead : Math.floor(horizon / mean);
  }

  /** Seconds that a call takes; 0 before the first has ended. */
  mean(entry: string): number {
    return this.#means.get(entry) ?? 0;
  }
}
