import type { StuckFrame } from '@threadbus/core';
import { BusError, isBusError } from '@threadbus/core/internal';
import { registerErrorClass } from '@threadbus/link/internal';

/**
 * The thread that worked on the event is gone: it crashed, ran out of memory, exited or was terminated.
 *
 * The event had started there. It may even have been done: results that were not sent yet are lost with the thread.
 * Events of a class that says `idempotent: true` are started again instead.
 *
 * @example
 * ```ts
 * const event = await index.dispatch(new FileFound({ path }));
 * const crashed = [...event.event_results.values()].some(({ error }) => isWorkerCrashedError(error));
 * if (crashed) await index.dispatch(event.eventReset());   // the replacement is up already
 * ```
 */
export class WorkerCrashedError extends BusError {
  static {
    this.prototype.name = 'WorkerCrashedError';
    Object.assign(this.prototype, { stuckAt: null });
  }
  override readonly code = 'ERR_WORKER_CRASHED';
  /** Where the thread was, innermost call first, if it was ended because it didn't answer; null if that isn't known. */
  declare readonly stuckAt: readonly StuckFrame[] | null;
}

/** True for a WorkerCrashedError, whichever copy of the package or thread it comes from. */
export function isWorkerCrashedError(error: unknown): error is WorkerCrashedError {
  return isBusError(error) && error.code === 'ERR_WORKER_CRASHED';
}

/** A thread could not be started as a bus; the message says what happened to it. @example if (isWorkerStartError(error)) console.error(error.message); */
export class WorkerStartError extends BusError {
  static {
    this.prototype.name = 'WorkerStartError';
  }
  override readonly code = 'ERR_WORKER_START';
}

/** True for a WorkerStartError, whichever copy of the package or thread it comes from. */
export function isWorkerStartError(error: unknown): error is WorkerStartError {
  return isBusError(error) && error.code === 'ERR_WORKER_START';
}

// They come from threads as instances, too.
registerErrorClass(WorkerCrashedError);
registerErrorClass(WorkerStartError);
