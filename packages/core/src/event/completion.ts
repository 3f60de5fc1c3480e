import { callOutside, liveHandler, waitFor } from './context.ts';
import { checkWait } from '../basics/duration.ts';
import { type ErrorPlace, EventStateError, TimeoutError } from '../basics/errors.ts';
import type { Lifecycle } from './lifecycle.ts';
import { checkOptions, checkSignal } from '../basics/options.ts';

/** Options of waits for an event's completion. */
export interface CompletionOptions {
  /** Limit for the wait in seconds; handlers go on when it passes. 0 = look once. @default none */
  readonly timeout?: number | null | undefined;
  /** Ends the wait with the signal's reason; handlers go on. @default none */
  readonly signal?: AbortSignal | undefined;
}

/** Where an error about the event happened. */
export function placeOf(lifecycle: Lifecycle): ErrorPlace {
  const { event_type, event_id } = lifecycle.event as { event_type: string; event_id: string };
  return { eventType: event_type, eventId: event_id };
}

/** Everything that is wrong with the options rejects. */
export function limitedCompletion<T>(
  lifecycle: Lifecycle,
  value: T,
  call: string,
  options: CompletionOptions | undefined,
  getsErrors = false,
): Promise<T> {
  if (options === undefined) return completion(lifecycle, value, {}, getsErrors);
  try {
    checkOptions(call, options, ['timeout', 'signal']);
    checkSignal(options.signal);
    options.signal?.throwIfAborted();
    return completion(lifecycle, value, options, getsErrors);
  } catch (error) {
    // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what a check threw, as it is
    return Promise.reject(error);
  }
}

/**
 * What `then` of the event does, once it was dispatched. For one that is completed it makes no difference who asks: no
 * handler has to be suspended.
 */
export function thenCompleted<T, Value, Failure>(
  lifecycle: Lifecycle,
  value: T,
  onValue: ((value: T) => Value | PromiseLike<Value>) | null | undefined,
  onError: ((error: unknown) => Failure | PromiseLike<Failure>) | null | undefined,
): Promise<Value | Failure> {
  return lifecycle.settled || (lifecycle.sequence > 0 && liveHandler() === null)
    ? callOutside(lifecycle, value, onValue, onError)
    : completion(lifecycle, value).then(onValue, onError);
}

/** Resolves to `value` once the event is completed. */
export function completion<T>(
  lifecycle: Lifecycle,
  value: T,
  { timeout, signal }: CompletionOptions = {},
  getsErrors = false,
): Promise<T> {
  // One that was restored as completed has been dispatched elsewhere.
  if (lifecycle.sequence === 0 && !lifecycle.settled) return Promise.reject(neverDispatched(placeOf(lifecycle)));
  if ((timeout === undefined || timeout === null) && signal === undefined && !getsErrors)
    return waitFor(lifecycle, value);
  return waitFor(lifecycle, value, {
    timeout: checkWait('timeout (seconds)', timeout),
    signal,
    onTimeout: (seconds) => timedOut(lifecycle, seconds),
    getsErrors,
  });
}

function neverDispatched(place: ErrorPlace): EventStateError {
  return new EventStateError(
    `${place.eventType}#${place.eventId?.slice(-4)} was never dispatched, so it will never complete. Dispatch it first: await bus.dispatch(event).`,
    place,
  );
}

function timedOut(lifecycle: Lifecycle, seconds: number): TimeoutError {
  const place = placeOf(lifecycle);
  return new TimeoutError(
    `${place.eventType}#${place.eventId?.slice(-4)} did not complete within ${seconds} s (status: ${lifecycle.status}).`,
    place,
    seconds,
  );
}
