import type { Limit } from '@threadbus/core/internal';

/** `suspect`: nothing was heard for a while; `lost`: for so long that the link is over. */
export type LinkStatus = 'up' | 'suspect' | 'lost';

/** Seconds. */
const longestBeat = 1;
const longestTrust = 3;

/**
 * Judges by silence whether the other end still lives; it can't tell one that has ended from one that is cut off.
 *
 *   up ◀──heard──▶ suspect ──silent for unresponsiveTimeout──▶ lost
 *
 * Whoever didn't run can't judge: after a pause of its own it reads first what has come meanwhile. And if the pause was
 * as long as `unresponsiveTimeout`, the other end must have given this one up: then this one is lost as well
 * (`expired`), before it reads on, so that nothing starts that the other end has told its callers to be lost.
 */
export class Liveness {
  /** Milliseconds between two beats. */
  readonly beat: number;
  readonly #suspectAfter: number;
  readonly #lostAfter: number;
  readonly #clock: () => number;
  #lastHeard: number;
  #lastTick: number;
  #judgesFrom = 0;

  /** @param unresponsiveTimeout seconds; null: never lost */
  constructor(unresponsiveTimeout: Limit, clock: () => number) {
    const trust = Math.min(longestTrust, (unresponsiveTimeout ?? Infinity) / 3);
    this.#suspectAfter = trust * 1000;
    this.#lostAfter = (unresponsiveTimeout ?? Infinity) * 1000;
    this.beat = Math.min(longestBeat, trust / 3) * 1000;
    this.#clock = clock;
    this.#lastHeard = clock();
    this.#lastTick = this.#lastHeard;
  }

  /** Milliseconds since anything came. */
  get silence(): number {
    return this.#clock() - this.#lastHeard;
  }

  /** Something came. @returns false if it came after this end's own pause was too long */
  heard(): boolean {
    const now = this.#clock();
    if (now - this.#lastTick >= this.#lostAfter) return false;
    this.#lastHeard = now;
    return true;
  }

  /** To be called once a beat. */
  tick(): LinkStatus | 'expired' {
    const now = this.#clock();
    const pause = now - this.#lastTick;
    this.#lastTick = now;
    if (pause >= this.#lostAfter) return 'expired';
    if (pause > 2 * this.beat) this.#judgesFrom = now + this.beat;
    const silence = now - this.#lastHeard;
    if (silence < this.#suspectAfter) return 'up';
    return silence >= this.#lostAfter && now >= this.#judgesFrom ? 'lost' : 'suspect';
  }
}
