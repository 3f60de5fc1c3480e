import { takeTime } from './take-watch.ts';
import type { ThreadClock } from './thread-clock.ts';
import type { ThreadSeat } from './thread-seat.ts';

/** Seconds for a thread with a call to say that it ends in order: it is not blocked. */
const finishGrace = 0.5;
/** Seconds for the hooks of a thread that ends in order; they give up earlier. */
const finishTime = 1.2;
/** Seconds that a thread which is to end counts as there; in a native call it may take any time. */
const endTime = 1;

/**
 * The end of a thread, once it is sure to come.
 *
 *   asked ──it says that it ends──▶ its hooks run ──it says that they have──▶ made to end ──▶ gone
 *     └────half a second is over, or one if it was idle──────────────────────────▲
 *
 * One that is ended for what it did is made to end at once. The hooks have a second, and so has what is made to end:
 * after that nobody waits for it any more.
 */
export class ThreadEnding {
  readonly #seat: ThreadSeat;
  readonly #clock: ThreadClock;
  readonly #gone: () => void;
  #state: 'alive' | 'asked' | 'made' = 'alive';

  constructor(seat: ThreadSeat, clock: ThreadClock, gone: () => void) {
    this.#seat = seat;
    this.#clock = clock;
    this.#gone = gone;
  }

  ask(wasIdle: boolean): void {
    this.#state = 'asked';
    this.#clock.callIn(wasIdle ? takeTime : finishGrace, () => this.make(), true);
    this.#seat.port.postMessage({ finish: true });
  }

  /** It says that it ends. */
  finishing(): void {
    if (this.#state === 'asked') this.#clock.callIn(finishTime, () => this.make(), true);
  }

  /** It says that its hooks have run. */
  finished(): void {
    if (this.#state === 'asked') this.make();
  }

  make(): void {
    this.#state = 'made';
    this.#clock.callIn(endTime, this.#gone, true);
    this.#seat.end();
  }
}
