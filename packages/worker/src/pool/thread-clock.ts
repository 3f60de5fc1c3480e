import type { Timer } from '@threadbus/core/internal';
import { isDebugged } from '../thread/thread-inspector.ts';
import { startFairTimer } from './fair-timer.ts';

/** Seconds after which it is looked again whether a debugger is still attached. */
const debugPause = 1;
/** The share of its time for which a thread that is not blocked waits in its event loop at least. */
const idleShare = 0.25;
/** How often such a thread gets that time again: the machine may have had none for it. */
const mostRounds = 4;

/** The clock of the state that a thread is in: a new one takes the place of the one before. */
export class ThreadClock {
  readonly #end: (error: Error) => void;
  readonly #readAll: () => void;
  readonly #idleTime: () => number;
  #timer: Timer | null = null;
  /** How often it was set or stopped. */
  #times = 0;

  /**
   * @param end ends the thread
   * @param readAll reads what the thread has said: it may set or stop this clock
   * @param idleTime seconds for which the thread has waited in its event loop in all
   */
  constructor(end: (error: Error) => void, readAll: () => void, idleTime: () => number) {
    this.#end = end;
    this.#readAll = readAll;
    this.#idleTime = idleTime;
  }

  /** Ends the thread after so many seconds, null = never; and never beside a debugger, at whose breakpoint it may stand. */
  endIn(seconds: number | null, error: () => Error): void {
    this.stop();
    if (seconds !== null) this.#endUnless(seconds, error, () => false);
  }

  /** The same of a thread that needs nothing but its event loop: again and again as long as it is seen to wait in that. */
  endBlockedIn(seconds: number, error: () => Error, rounds: number = mostRounds): void {
    const before = this.#idleTime();
    this.#endUnless(seconds, error, () => {
      if (rounds === 0 || this.#idleTime() - before < seconds * idleShare) return false;
      this.endBlockedIn(seconds, error, rounds - 1);
      return true;
    });
  }

  #endUnless(seconds: number, error: () => Error, excused: () => boolean): void {
    this.callIn(seconds, () => {
      const times = this.#times;
      this.#readAll();
      // What has come meanwhile says that all is well.
      if (times !== this.#times || excused()) return;
      if (!this.endNow(error)) this.endIn(debugPause, error);
    });
  }

  /** Its time is up. @returns whether it was ended for that: not beside a debugger */
  endNow(error: () => Error): boolean {
    if (isDebugged()) return false;
    this.#end(error());
    return true;
  }

  callIn(seconds: number, call: () => void, keepAlive = false): void {
    this.stop();
    this.#timer = startFairTimer(seconds, call, keepAlive);
  }

  stop(): void {
    this.#times += 1;
    this.#timer?.cancel();
    this.#timer = null;
  }
}
