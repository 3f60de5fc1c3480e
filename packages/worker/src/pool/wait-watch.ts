import type { PoolCall } from './pool-call.ts';
import type { PoolLines } from './pool-lines.ts';
import { takeTime } from './take-watch.ts';
import { blockedError } from './thread-errors.ts';
import type { ThreadClock } from './thread-clock.ts';

/**
 * Whether a thread that waits, for events or for its output, still comes back to its event loop: something that has
 * ended may block it.
 *
 * While there is such a thing it is pinged each second, and ended if it doesn't answer within another.
 */
export class WaitWatch {
  readonly #lines: PoolLines;
  readonly #clock: ThreadClock;
  readonly #isSuspect: () => boolean;
  #call: PoolCall | null = null;
  #pinging = false;

  /** @param isSuspect whether something goes on in the thread that has ended for this side */
  constructor(lines: PoolLines, clock: ThreadClock, isSuspect: () => boolean) {
    this.#lines = lines;
    this.#clock = clock;
    this.#isSuspect = isSuspect;
  }

  /** The call's handler awaits an event, or has ended and something is waited for. */
  start(call: PoolCall): void {
    this.#call = call;
    if (!this.#pinging && this.#isSuspect()) this.#ping(call);
  }

  stop(): void {
    this.#call = null;
    this.#pinging = false;
    this.#clock.stop();
  }

  #ping(call: PoolCall): void {
    this.#pinging = true;
    this.#clock.endIn(takeTime, () => blockedError(call.handlerName));
    this.#lines.ping(call.bus, () => this.#answered(call));
  }

  #answered(call: PoolCall): void {
    if (this.#call !== call) return;
    this.#clock.stop();
    this.#pinging = this.#isSuspect();
    if (this.#pinging) this.#clock.callIn(takeTime, () => this.#ping(call));
  }
}
