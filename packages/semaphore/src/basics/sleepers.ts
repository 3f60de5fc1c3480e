/** How long whoever is first may leave free what it waits for. */
const LATE_MS = 500;
/** A longer gap between two looks says that this thread itself did not run: so may the other not have. */
const LONGEST_GAP_MS = 100;

/**
 * Tells a waiter whose turn it is and who does not react (blocked, stopped) from one that is about to.
 *
 * Nobody is overtaken for having been slow once: what is free must have been left so for half a second, over several
 * looks. Then the owner is passed over until it shows a sign of life.
 */
export class Sleepers {
  /** By owner: its sign of life when it was found asleep. */
  readonly #asleep = new Map<string, number>();
  #turn = '';
  #sign = 0;
  #lateMs = 0;
  #lastLook = 0;

  /** @param sign what changes when the owner is awake; asked for only if it matters */
  isAsleep(owner: string, sign: () => number): boolean {
    const known = this.#asleep.get(owner);
    if (known === undefined) return false;
    if (known === sign()) return true;
    this.#asleep.delete(owner);
    return false;
  }

  /**
   * To be told at each look that the one whose turn it is could be served, and is not yet.
   *
   * @param turn what it waits with; another turn begins anew
   * @returns it is asleep
   */
  isLate(turn: string, owner: string, sign: number): boolean {
    const now = performance.now();
    if (turn !== this.#turn || sign !== this.#sign) {
      this.#turn = turn;
      this.#sign = sign;
      this.#lateMs = 0;
    } else {
      this.#lateMs += Math.min(now - this.#lastLook, LONGEST_GAP_MS);
    }
    this.#lastLook = now;
    if (this.#lateMs < LATE_MS) return false;
    this.#asleep.set(owner, sign);
    this.onTime();
    return true;
  }

  /** Nobody is late: there is nothing free for whoever is first. */
  onTime(): void {
    this.#turn = '';
  }

  /** Nobody waits here any more. */
  forget(): void {
    this.#asleep.clear();
    this.onTime();
  }
}
