import { type Limit, startTimer, type Timer, whenAborted } from '@threadbus/core/internal';
import type { BusHost } from './bus-host.ts';
import type { ControlCalls } from './control.ts';
import { isWorkerCrashedError } from '../errors.ts';
import { monotonic } from './monotonic.ts';

/** Seconds beyond its own limit after which a call is given up: a blocked thread doesn't answer at all. */
export const answerGrace = 1;

/** What calls to a bus in a thread need of whoever keeps it running. */
export interface ControlHost {
  /** The thread, once it is up. @throws why there is none any more, or the signal's reason */
  thread(signal: AbortSignal | undefined): Promise<BusHost>;
  /** There is no thread any more, and won't be. */
  readonly isOver: boolean;
  /** Events are under way from this side. */
  readonly busy: boolean;
  /** Calls are pending, or none is any more. */
  asking(change: 1 | -1): void;
}

/** Asks a bus in a thread: whichever thread it has at the moment. */
export class WorkerControl {
  readonly #host: ControlHost;

  constructor(host: ControlHost) {
    this.#host = host;
  }

  /** Asks the thread something, behind all that was sent to it; if it is being replaced, its replacement. */
  async ask<Method extends keyof ControlCalls>(
    method: Method,
    argument: Parameters<ControlCalls[Method]>[0] | undefined,
    signal?: AbortSignal,
  ): Promise<ReturnType<ControlCalls[Method]>> {
    const thread = await this.#host.thread(signal);
    this.#host.asking(1);
    try {
      return await thread.control.call(method, argument, signal);
    } finally {
      this.#host.asking(-1);
    }
  }

  /** @returns false if the time was up before the bus over there was idle, with nothing under way to it */
  async waitUntilIdle(timeout: Limit, signal?: AbortSignal): Promise<boolean> {
    const left = countdown(timeout);
    for (;;) {
      const time = left();
      const limit = new TimeLimit(time === null ? null : time + answerGrace, signal);
      try {
        if (!(await this.ask('waitUntilIdle', time, limit.signal))) return false;
      } catch (error) {
        if (limit.isUp) return false;
        throw error;
      } finally {
        limit.cancel();
      }
      // What waits on this side, or came since, is under way too.
      if (!this.#host.busy) return true;
      if (left() === 0) return false;
    }
  }

  /** Waits until the bus is idle, whatever becomes of its threads meanwhile. */
  async drain(timeout: Limit): Promise<void> {
    const left = countdown(timeout);
    while (left() !== 0 && !(await this.#idleOrOver(left())));
  }

  /** @returns false if the thread has died: its replacement is to be asked */
  async #idleOrOver(timeout: Limit): Promise<boolean> {
    try {
      await this.waitUntilIdle(timeout);
      return true;
    } catch (error) {
      return this.#host.isOver || !isWorkerCrashedError(error);
    }
  }
}

/** Tells how many seconds are left. */
function countdown(timeout: Limit): () => Limit {
  if (timeout === null) return () => null;
  const end = monotonic() + timeout;
  return () => Math.max(0, end - monotonic());
}

/** Aborts when so many seconds are over, or the signal aborts. */
export class TimeLimit {
  readonly #end = new AbortController();
  readonly #timer: Timer | null;
  readonly #stopListening: (() => void) | null;
  isUp = false;

  constructor(seconds: Limit, signal?: AbortSignal) {
    // Not AbortSignal.any: a signal that lives long would remember every wait.
    this.#stopListening = signal === undefined ? null : whenAborted(signal, () => this.#end.abort(signal.reason));
    if (signal?.aborted === true) this.#end.abort(signal.reason);
    const onTime = (): void => {
      this.isUp = true;
      this.#end.abort();
    };
    this.#timer = seconds === null ? null : startTimer(seconds, onTime, true);
  }

  get signal(): AbortSignal {
    return this.#end.signal;
  }

  cancel(): void {
    this.#stopListening?.();
    this.#timer?.cancel();
  }
}
