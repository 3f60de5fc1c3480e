import { BusError, isBusError } from '@threadbus/core';
import { registerErrorClass } from '@threadbus/link';

/** NATS can't be reached, refuses this client, or its client library isn't installed. @example if (isNatsUnavailableError(error)) console.error(error.message, error.cause); */
export class NatsUnavailableError extends BusError {
  static {
    this.prototype.name = 'NatsUnavailableError';
  }
  override readonly code = 'ERR_NATS_UNAVAILABLE';
}

/** True for a NatsUnavailableError, whichever copy of the package or thread it comes from. */
export function isNatsUnavailableError(error: unknown): error is NatsUnavailableError {
  return isBusError(error) && error.code === 'ERR_NATS_UNAVAILABLE';
}

/** Nobody serves a bus of that name in the namespace. @example if (isBusNotFoundError(error)) console.error(`start a server of ${error.busName} first`); */
export class BusNotFoundError extends BusError {
  static {
    this.prototype.name = 'BusNotFoundError';
  }
  override readonly code = 'ERR_BUS_NOT_FOUND';
}

/** True for a BusNotFoundError, whichever copy of the package or thread it comes from. */
export function isBusNotFoundError(error: unknown): error is BusNotFoundError {
  return isBusError(error) && error.code === 'ERR_BUS_NOT_FOUND';
}

/** Another server has the name, or the servers of one name don't agree on `replicas`. @example if (isNameTakenError(error)) process.exit(0);   // the other one does the work */
export class NameTakenError extends BusError {
  static {
    this.prototype.name = 'NameTakenError';
  }
  override readonly code = 'ERR_NAME_TAKEN';
}

/** True for a NameTakenError, whichever copy of the package or thread it comes from. */
export function isNameTakenError(error: unknown): error is NameTakenError {
  return isBusError(error) && error.code === 'ERR_NAME_TAKEN';
}

/**
 * The queue's store didn't answer in time.
 *
 * Whether the event is stored isn't known: enqueue the same event again, it is stored once.
 *
 * @example
 * ```ts
 * const event = new Resize({ url });
 * const receipt = await jobs.enqueue(event).catch((error) => {
 *   if (isQueueUnavailableError(error)) return jobs.enqueue(event, { timeout: 60 });
 *   throw error;
 * });
 * ```
 */
export class QueueUnavailableError extends BusError {
  static {
    this.prototype.name = 'QueueUnavailableError';
  }
  override readonly code = 'ERR_QUEUE_UNAVAILABLE';
  /** The queue's name. */
  readonly queue: string;
  /** Of an event that was enqueued: it may be stored. */
  readonly outcome = 'unknown';

  constructor(message: string, queue: string, event?: { event_id: string; event_type: string }, cause?: unknown) {
    super(
      message,
      { eventId: event?.event_id, eventType: event?.event_type },
      cause === undefined ? undefined : { cause },
    );
    this.queue = queue;
  }
}

/** True for a QueueUnavailableError, whichever copy of the package or thread it comes from. */
export function isQueueUnavailableError(error: unknown): error is QueueUnavailableError {
  return isBusError(error) && error.code === 'ERR_QUEUE_UNAVAILABLE';
}

/** The queue exists with other settings that can't be changed, and the message names both; or its streams are another queue's. @example if (isQueueConfigError(error)) console.error(error.message); */
export class QueueConfigError extends BusError {
  static {
    this.prototype.name = 'QueueConfigError';
  }
  override readonly code = 'ERR_QUEUE_CONFIG';
}

/** True for a QueueConfigError, whichever copy of the package or thread it comes from. */
export function isQueueConfigError(error: unknown): error is QueueConfigError {
  return isBusError(error) && error.code === 'ERR_QUEUE_CONFIG';
}

/** The worker that had the event's last delivery is gone: it crashed, was killed, or was cut off for too long. @example if (isWorkerLostError(dead.error)) await dead.redrive(); */
export class WorkerLostError extends BusError {
  static {
    this.prototype.name = 'WorkerLostError';
  }
  override readonly code = 'ERR_WORKER_LOST';
}

/** True for a WorkerLostError, whichever copy of the package or thread it comes from. */
export function isWorkerLostError(error: unknown): error is WorkerLostError {
  return isBusError(error) && error.code === 'ERR_WORKER_LOST';
}

for (const Class of [
  NatsUnavailableError,
  BusNotFoundError,
  NameTakenError,
  QueueUnavailableError,
  QueueConfigError,
  WorkerLostError,
]) {
  registerErrorClass(Class);
}
