import type { StuckFrame } from '@threadbus/core';
import type { Timer } from '@threadbus/core/internal';
import { stuckAt } from '../thread/stuck-at.ts';
import { isDebugged } from '../thread/thread-inspector.ts';
import { startFairTimer } from './fair-timer.ts';

/** Seconds for a thread to answer before it is taken to be blocked: it needs no more for that than its event loop. */
const pingTime = 0.1;
/** Seconds after which it is looked again whether a debugger is still attached. */
const debugPause = 1;

/** How a call ends whose time is up. */
export interface Overrunning {
  timeOut(at: readonly StuckFrame[] | null): void;
}

/** Its thread. */
export interface OverrunThread {
  readonly threadId: number;
  /** Asks the thread to answer from its event loop. */
  ping(answered: () => void): void;
  /** Reads what has come from the thread. @returns whether the handler still goes on */
  isAtWork(): boolean;
}

/**
 * A call whose time is up while its handler goes on in a thread.
 *
 *   pinged ──the thread answers, twice: the handler doesn't block it──▶ timed out
 *     └──it doesn't──▶ asked where it stands ──it says, or half a second is over──▶ timed out, with that
 *
 * So the error of a runaway says where it was; the thread is ended only after that. Beside a debugger the thread may
 * stand at a breakpoint: then the call stays as it is until the thread answers, and what it has done by then is done.
 */
export class Overrun {
  readonly #call: Overrunning;
  readonly #thread: OverrunThread;
  #timer: Timer | null = null;
  #over = false;

  constructor(call: Overrunning, thread: OverrunThread) {
    this.#call = call;
    this.#thread = thread;
    this.#lookIn(pingTime);
    // Twice: between two answers the thread's own timers and I/O have had their turn, also if all of this was held up.
    thread.ping(() => thread.ping(() => this.#end(null)));
  }

  /** The call has ended otherwise. */
  cancel(): void {
    this.#over = true;
    this.#timer?.cancel();
  }

  #lookIn(seconds: number): void {
    this.#timer = startFairTimer(seconds, () => void this.#look(), true);
  }

  async #look(): Promise<void> {
    if (isDebugged()) this.#lookIn(debugPause);
    else this.#end(await stuckAt(this.#thread.threadId));
  }

  #end(at: readonly StuckFrame[] | null): void {
    if (this.#over) return;
    this.cancel();
    if (this.#thread.isAtWork()) this.#call.timeOut(at);
  }
}
