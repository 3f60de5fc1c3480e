/** How much of what was before counts beside the latest while, which is a tenth of a second. */
const memory = 0.7;

/**
 * Which of the trees that begin are shown: every one, or one in so many.
 *
 * How many is known of what went before: so many trees begin a second, and showing one costs so much. It grows at once when more begin, and falls as they get fewer. The next one that is shown is some way off by chance, so that a
 * program which does things in turns isn't always seen in the same one. To ask costs a subtraction.
 */
export class Sampling {
  oneIn = 1;
  #untilNext = 1;
  /** Since `adapt`. */
  #begun = 0;
  #shown = 0;
  /** The same, and what was spent, smoothed over the last while. */
  #begunBefore = 0;
  #shownBefore = 0;
  #usedBefore = 0;

  /** A tree begins. @returns whether it is shown */
  isNext(hasRoom: boolean): boolean {
    this.#begun += 1;
    this.#untilNext -= 1;
    if (this.#untilNext > 0 || !hasRoom) return false;
    this.#shown += 1;
    this.#untilNext = this.oneIn === 1 ? 1 : 1 + Math.floor(Math.random() * (2 * this.oneIn - 1));
    return true;
  }

  /**
   * @param seconds that have passed
   * @param used what was spent in them, in seconds' worth of what may be
   * @param least that showing one costs, in the same
   */
  adapt(seconds: number, used: number, least: number): void {
    const begun = this.#begun / seconds;
    this.#begunBefore = mixed(this.#begunBefore, begun);
    this.#shownBefore = mixed(this.#shownBefore, this.#shown);
    this.#usedBefore = mixed(this.#usedBefore, used);
    const cost = this.#shownBefore < 0.01 ? least : Math.max(least, this.#usedBefore / this.#shownBefore);
    const wanted = Math.max(begun, this.#begunBefore) * cost;
    // What is just enough, give or take, is enough.
    this.oneIn = Math.max(1, Math.ceil(wanted - 0.1));
    // One that was far off when much began is not waited for when little does.
    this.#untilNext = Math.min(this.#untilNext, 2 * this.oneIn - 1);
    this.#begun = 0;
    this.#shown = 0;
  }
}

function mixed(before: number, now: number): number {
  return before * memory + now * (1 - memory);
}
