import { BusError, type BusStoppedError, isBusError } from '@threadbus/core';

/**
 * The thread that worked on the event is gone: it crashed, ran out of memory, exited or was terminated.
 *
 * The event had started there. It may even have been done: results that were not sent yet are lost with the thread.
 * Events of a class that says `idempotent: true` are started again instead.
 */
export class WorkerCrashedError extends BusError {
  static {
    this.prototype.name = 'WorkerCrashedError';
  }
  override readonly code = 'ERR_WORKER_CRASHED';
}
export function isWorkerCrashedError(error: unknown): error is WorkerCrashedError {
  return isBusError(error) && error.code === 'ERR_WORKER_CRASHED';
}

/** A thread could not be started as a bus; the message says what happened to it. */
export class WorkerStartError extends BusError {
  static {
    this.prototype.name = 'WorkerStartError';
  }
  override readonly code = 'ERR_WORKER_START';
}
export function isWorkerStartError(error: unknown): error is WorkerStartError {
  return isBusError(error) && error.code === 'ERR_WORKER_START';
}

/** Two buses can't be linked: other protocol versions, one name twice, or a port that is closed. */
export class LinkError extends BusError {
  static {
    this.prototype.name = 'LinkError';
  }
  override readonly code = 'ERR_LINK';
}
export function isLinkError(error: unknown): error is LinkError {
  return isBusError(error) && error.code === 'ERR_LINK';
}

/** What a link is closed with; the reason for all that was under way on it. */
export type CloseReason = WorkerCrashedError | LinkError | BusStoppedError;
