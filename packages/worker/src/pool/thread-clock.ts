import type { Timer } from '@threadbus/core/internal';
import { isDebugged } from '../thread/thread-inspector.ts';
import { startFairTimer } from './fair-timer.ts';

/** Seconds after which it is looked again whether a debugger is still attached. */
const debugPause = 1;

/** The clock of the state that a thread is in: a new one takes the place of the one before. */
export class ThreadClock {
  readonly #end: (error: Error) => void;
  #timer: Timer | null = null;

  /** @param end ends the thread */
  constructor(end: (error: Error) => void) {
    this.#end = end;
  }

  /** Ends the thread after so many seconds, null = never; and never beside a debugger, at whose breakpoint it may stand. */
  endIn(seconds: number | null, error: () => Error): void {
    this.stop();
    if (seconds === null) return;
    this.callIn(seconds, () => {
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
    this.#timer?.cancel();
    this.#timer = null;
  }
}
