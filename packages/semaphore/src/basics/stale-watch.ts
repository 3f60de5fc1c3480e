/** How long an owner that can't be seen must give no sign of life before it counts as dead. */
const STALE_MS = 60_000;
/**
 * A gap between two turns of this thread counts as no more than this: it was stopped or suspended itself then, and the
 * owner may have been so with it.
 */
const LONGEST_GAP_MS = 2000;
const TURN_MS = 1000;
/** Signs of life that nobody asked for again are forgotten. */
const FORGOTTEN_MS = 600_000;

interface Sign {
  readonly stamp: number;
  /** On the clock of {@link StaleWatch}. */
  readonly since: number;
  asked: number;
}

/**
 * Tells owners that can't be seen from here (other containers, machines, users) by the signs of life that they leave.
 *
 * No clock is compared with another one's: a sign counts as stale once this thread, running, has watched it for a minute
 * and it has not changed. So neither a wrong date nor a suspended machine makes an owner look dead, or alive for hours.
 */
export class StaleWatch {
  readonly #now: () => number;
  readonly #signs = new Map<string, Sign>();
  #last: number;
  #awake = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param now in ms, never goes back */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#last = now();
  }

  /**
   * Whether the sign has not changed for a minute of watching. The first call begins the watch.
   *
   * @param stamp what its owner changes as long as it lives
   */
  isStale(key: string, stamp: number): boolean {
    this.#turn();
    const known = this.#signs.get(key);
    if (known?.stamp === stamp) {
      known.asked = this.#awake;
      return this.#awake - known.since >= STALE_MS;
    }
    this.#signs.set(key, { stamp, since: this.#awake, asked: this.#awake });
    // So that this thread's own time goes on where nobody asks.
    this.#timer ??= setInterval(() => this.#turn(), TURN_MS).unref();
    return false;
  }

  #turn(): void {
    const now = this.#now();
    this.#awake += Math.min(now - this.#last, LONGEST_GAP_MS);
    this.#last = now;
    if (this.#timer === undefined) return;
    for (const [key, sign] of this.#signs) {
      if (this.#awake - sign.asked < FORGOTTEN_MS) break;
      this.#signs.delete(key);
    }
    if (this.#signs.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** The watch that all semaphores of this thread share. */
export const staleWatch: StaleWatch = new StaleWatch();
