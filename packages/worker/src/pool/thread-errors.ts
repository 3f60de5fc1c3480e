import { BusStoppedError, describe, isReadableError } from '@threadbus/core/internal';
import { LinkError } from '@threadbus/link';
import { WorkerCrashedError, WorkerStartError } from '../errors.ts';
import type { ThreadEnd } from '../thread/thread-observers.ts';
import type { CarrierEnd } from './carrier.ts';

export function startTimeoutError(seconds: number | null): WorkerStartError {
  return new WorkerStartError(
    `A pool thread could not be started: it was not up within ${seconds} s. Raise startTimeout.`,
  );
}

/** Node refuses to start a thread. */
export function noStartError(cause: unknown): WorkerStartError {
  return new WorkerStartError(`A pool thread could not be started: ${textOf(cause)}`, {}, { cause });
}

export function loadTimeoutError(entry: string, seconds: number | null): WorkerStartError {
  return new WorkerStartError(
    `${entry} did not load in a pool thread within ${seconds} s. Raise startTimeout, or see what it waits for as it loads.`,
  );
}

export function preloadError(entry: string, cause: unknown): WorkerStartError {
  return new WorkerStartError(
    `A pool thread could not load ${entry}, which it is to preload: ${textOf(cause)}`,
    {},
    { cause },
  );
}

export function unreadableError(cause: unknown): LinkError {
  return new LinkError('A message of a pool thread could not be read.', {}, { cause });
}

/** Why threads are ended that block, or have nothing to do. */
const blocked = new WeakSet<Error>();
const idle = new WeakSet<Error>();

/** Something that should have ended blocks the thread. */
export function blockedError(handlerName: string): WorkerCrashedError {
  const error = new WorkerCrashedError(
    `The pool thread of ${handlerName} was ended: it didn't answer, blocked by a handler whose event had ended.`,
    { handlerName },
  );
  blocked.add(error);
  return error;
}

/** It doesn't take a call that nobody has ended: something has been made of the thread that isn't one any more. */
export function refusedError(handlerName: string): WorkerCrashedError {
  return new WorkerCrashedError(
    `The pool thread of ${handlerName} was ended: it refused a call. A handler may have replaced built-in functions there.`,
    { handlerName },
  );
}

/** There is nothing to do for the thread. */
export function idleError(): BusStoppedError {
  const error = new BusStoppedError('The pool thread was ended because there was nothing to do for it.');
  idle.add(error);
  return error;
}

/** In the words of those who watch threads. */
export function reasonOf(error: Error): ThreadEnd['reason'] {
  if (blocked.has(error)) return 'blocked';
  if (idle.has(error)) return 'idle';
  return error instanceof BusStoppedError ? 'stopped' : 'crashed';
}

/**
 * A thread has died of its own.
 *
 * @param entry what it was loading
 * @param handlerName of its call
 */
export function deathError(
  state: string,
  entry: string | null,
  handlerName: string | null,
  { error, code }: CarrierEnd,
): WorkerCrashedError | WorkerStartError {
  const what = error === undefined ? `it ended with exit code ${code}` : textOf(error);
  const options = error === undefined ? {} : { cause: error };
  if (entry !== null)
    return new WorkerStartError(`${entry} could not be loaded in a pool thread: ${what}`, {}, options);
  if (state === 'starting') return new WorkerStartError(`A pool thread could not be started: ${what}`, {}, options);
  const place = handlerName === null ? {} : { handlerName };
  return new WorkerCrashedError(`The pool thread of ${handlerName ?? 'a handler'} crashed: ${what}`, place, options);
}

function textOf(error: unknown): string {
  return isReadableError(error) ? error.message : describe(error);
}
