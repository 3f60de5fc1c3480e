import { describe } from '../basics/describe.ts';
import { type ErrorPlace, ResultValidationError, ThrownValueError } from '../basics/errors.ts';
import { Dispatch } from '../event/dispatch.ts';
import { problemText } from '../event/event-schema.ts';
import { ResultHelpers } from '../event/result-helpers.ts';

/**
 * Returned by a handler, of a kind that keeps its own time, that tells its run what it comes to: `succeed` or `fail`. A
 * promise, and what is chained to it, would cost as much as all else that is done for a short call's result.
 */
export const later: unique symbol = Symbol('later');

/** What a handler has returned: an event that it dispatched, an error, the helpers of another event, or a value. */
export type OutcomeKind = 'dispatch' | 'error' | 'helpers' | 'value';

/**
 * What the returned thing is, asked once.
 *
 * @throws whatever the thing throws when it is asked what it is, as a proxy that was revoked does
 */
export function outcomeKind(value: unknown): OutcomeKind {
  if (value instanceof Dispatch) return 'dispatch';
  if (value instanceof Error) return 'error';
  return value instanceof ResultHelpers ? 'helpers' : 'value';
}

/**
 * What to wait for, if anything. Thenables that are no promises are asked here, so that their `then` knows which
 * handler awaits. A Dispatch is not waited for.
 *
 * @throws whatever the thing throws when it is asked what it is
 */
export function toBeAwaited(outcome: unknown): unknown {
  if (typeof outcome !== 'object' || outcome === null || outcome instanceof Dispatch || outcome instanceof Promise)
    return outcome;
  return 'then' in outcome && typeof outcome.then === 'function' ? Promise.resolve(outcome) : outcome;
}

/** What a handler has thrown is no Error that can be read. */
export function thrownValueError(place: ErrorPlace, thrown: unknown): ThrownValueError {
  return new ThrownValueError(
    `${place.busName}.${place.handlerName} threw something that is no Error: ${describe(thrown)}. Throw an Error to keep its stack; the thing thrown is in cause.`,
    place,
    { cause: thrown },
  );
}

/** A value is not what its event's `event_result_type` expects, because of `cause`. */
export function validationError(type: object, cause: unknown, place: ErrorPlace): ResultValidationError {
  const { busName, handlerName, eventType } = place;
  const kind = (type as { def?: { type?: string } }).def?.type ?? 'its type';
  return new ResultValidationError(
    `The result of ${busName}.${handlerName} for ${eventType} did not match expected event_result_type (${kind}): ${problemText(cause)}. Return a value of that type, null or undefined.`,
    place,
    { cause },
  );
}
