import type { BaseEvent } from '../event/base-event.ts';
import { isHandlerAbortedError, isHandlerCancelledError, isHandlerTimeoutError } from '../basics/errors.ts';
import { type EventResult, here, ranInOf, wasGot } from '../event/event-result.ts';
import type { LogFields, SafeLogger } from '../basics/logger.ts';
import { ownStack } from '../basics/own-stack.ts';

/** A handler was ended with another one, which has its own report, or before its start. */
export function reportEnded(logger: SafeLogger, event: BaseEvent, result: EventResult): void {
  const { error } = result;
  if (!isEnded(error)) return;
  logger.debug(`${failure(event, result)}: ${error.message}`, fieldsOf(event, result));
}

/**
 * The event is complete: what its handlers have thrown is an error if nobody has asked for it.
 *
 * Of an event that came over a link the far side has a copy, to which the errors go back with the results: whoever may
 * have asked for them is there. So there they are reported, and here they count as got, as long as the link is up.
 *
 * @param got somebody waited for the event's errors, and has them now
 */
export function reportFailures(
  logger: SafeLogger,
  event: BaseEvent,
  results: readonly EventResult[],
  got: boolean,
): void {
  for (const result of results) {
    const { error } = result;
    if (result.status !== 'error' || isEnded(error)) continue;
    const what = failure(event, result);
    const fields = fieldsOf(event, result);
    const { name, message } = error as Error;
    if (got || wasGot(result)) logger.debug(`${what}: ${name}: ${message}`, fields);
    else if (logger.structured) logger.error(what, fields);
    // The stack of a timeout is that of a timer, which tells nothing.
    else
      logger.error(
        `${what}: ${isHandlerTimeoutError(error) ? `${name}: ${message}` : ownStack(error as Error)}`,
        fields,
      );
  }
}

/** A handler has been in progress for long. */
export function reportSlow(logger: SafeLogger, result: EventResult, seconds: number): void {
  const event = result.lifecycle.event as BaseEvent;
  logger.warn(
    `${placeOf(event, result)} has been running for ${seconds.toFixed(0)} s: slow, or a deadlock?`,
    fieldsOf(event, result),
  );
}

/** A complete event was dispatched here once more: not by a forward, of which it would be a part. */
export function reportRepeat(logger: SafeLogger, event: BaseEvent, busName: string): void {
  const { event_type, event_id } = event;
  logger.warn(
    `${busName} had ${event_type}#${event_id.slice(-4)} already, and it is complete: nothing runs again. For that, dispatch a copy: ${busName}.dispatch(event.eventReset()).`,
  );
}

function isEnded(error: unknown): error is Error {
  return isHandlerAbortedError(error) || isHandlerCancelledError(error);
}

function failure(event: BaseEvent, result: EventResult): string {
  return `${placeOf(event, result)} failed${elsewhere(result)}`;
}

/** Which thread or process ran the handler, if not this one. */
function elsewhere(result: EventResult): string {
  const place = ranInOf(result) ?? here;
  if (place.pid !== here.pid) return ` in process ${place.pid}`;
  if (place.threadId === here.threadId) return '';
  return place.threadId === 0 ? ' on the main thread' : ` in thread ${place.threadId}`;
}

function placeOf({ event_type, event_id }: BaseEvent, { eventbus_name, handler_name }: EventResult): string {
  return `${eventbus_name}.${handler_name}(${event_type}#${event_id.slice(-4)})`;
}

function fieldsOf({ event_id, event_type }: BaseEvent, result: EventResult): LogFields {
  const { eventbus_name: bus, handler_name: handler, status, error } = result;
  return { event_id, event_type, bus, handler, ...(status === 'error' && { err: error }) };
}
