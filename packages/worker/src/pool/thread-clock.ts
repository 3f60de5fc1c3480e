import type { Timer } from '@threadbus/core/internal';
import { isDebugged } from '../thread/thread-inspector.ts';
import { startFairTimer } from './fair-timer.ts';

/** Seconds after which it is looked again whether a debugger is still attached. */
const debugPause = 1;

/** The clock of the state that a thread is in: a new one takes the place of the one before. */
export class ThreadClock {
  readonly #end: (error: Error) => void;
  readonly #readAll: () => void;
  #timer: Timer | null = null;
  /** How often it was set or stopped. */
  #times = 0;

  /**
   * @param end ends the thread
   * @param readAll reads what the thread has said: it may set or stop this clock
   */
  constructor(end: (error: Error) => void, readAll: () => void) {
    this.#end = end;
    this.#readAll = readAll;
  }

  /** Ends the thread after so many seconds, null = never; and never beside a debugger, at whose breakpoint it may stand. */
  endIn(seconds: number | null, error: () => Error): void {
    this.stop();
    if (seconds === null) return;
    this.callIn(seconds, () => {
      const times = this.#times;
      this.#readAll();
      // What has come meanwhile says that all is well.
      if (times !== this.#times) return;
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
