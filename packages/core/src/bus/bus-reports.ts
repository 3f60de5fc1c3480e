import type { BaseEvent } from '../event/base-event.ts';
import { isHandlerAbortedError, isHandlerCancelledError, isHandlerTimeoutError } from '../basics/errors.ts';
import { type EventResult, wasGot } from '../event/event-result.ts';
import type { LogFields, SafeLogger } from '../basics/logger.ts';
import { ownStack } from '../basics/own-stack.ts';

/** Whose handlers the reports are about. */
interface ReportingBus {
  readonly name: string;
  readonly options: { readonly logger: SafeLogger };
}

/** A handler was ended with another one, which has its own report, or before its start. */
export function reportEnded(bus: ReportingBus, event: BaseEvent, result: EventResult): void {
  const { error } = result;
  if (!isEnded(error)) return;
  bus.options.logger.debug(`${failure(bus, event, result)}: ${error.message}`, fieldsOf(bus, event, result));
}

/**
 * The event is complete: what its handlers here have thrown is an error if nobody has asked for it.
 *
 * @param got somebody waited for the event's errors, and has them now
 */
export function reportFailures(
  bus: ReportingBus,
  event: BaseEvent,
  results: readonly EventResult[],
  got: boolean,
): void {
  const { logger } = bus.options;
  for (const result of results) {
    const { error } = result;
    if (result.status !== 'error' || isEnded(error)) continue;
    const what = failure(bus, event, result);
    const fields = fieldsOf(bus, event, result);
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
export function reportSlow(bus: ReportingBus, result: EventResult, seconds: number): void {
  const event = result.lifecycle.event as BaseEvent;
  bus.options.logger.warn(
    `${placeOf(bus, event, result)} has been running for ${seconds.toFixed(0)} s: slow, or a deadlock?`,
    fieldsOf(bus, event, result),
  );
}

function isEnded(error: unknown): error is Error {
  return isHandlerAbortedError(error) || isHandlerCancelledError(error);
}

function failure(bus: ReportingBus, event: BaseEvent, result: EventResult): string {
  return `${placeOf(bus, event, result)} failed`;
}

function placeOf({ name }: ReportingBus, { event_type, event_id }: BaseEvent, { handler_name }: EventResult): string {
  return `${name}.${handler_name}(${event_type}#${event_id.slice(-4)})`;
}

function fieldsOf({ name }: ReportingBus, { event_id, event_type }: BaseEvent, result: EventResult): LogFields {
  const { handler_name: handler, status, error } = result;
  return { event_id, event_type, bus: name, handler, ...(status === 'error' && { err: error }) };
}
