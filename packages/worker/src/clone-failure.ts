import { type BaseEvent, UnserializableError } from '@threadbus/core';
import { findUnclonable } from './clone-path.ts';
import { encodeThrown } from './error-codec.ts';
import { mapValues } from './outcome-codec.ts';
import type { WireOutcome, WireResult } from './protocol.ts';

/** The error for an event whose payload can't cross a thread; names the field. */
export function unclonableError(event: BaseEvent, busName: string, cause: Error): UnserializableError {
  const found = findUnclonable({ ...event });
  const field =
    found === null
      ? `${event.event_type}: ${cause.message}`
      : `${event.event_type}: field "${found.path}" (${found.what}) cannot cross a thread boundary`;
  return new UnserializableError(
    `${field}; the event was not sent to ${busName}. Send plain data: what structuredClone() accepts.`,
    { busName, eventType: event.event_type, eventId: event.event_id },
    found?.path ?? '',
    { cause },
  );
}

/** The outcome with an error in place of each value that can't cross. */
export function withoutUnclonable(outcome: WireOutcome): WireOutcome {
  return mapValues(outcome, (result) => {
    const found = findUnclonable(result.value);
    return found === null ? result : failedResult(result, found.path, found.what);
  });
}

function failedResult(result: WireResult, path: string, what: string): WireResult {
  const where = path === '' ? 'result' : `result.${path}`;
  const error = new UnserializableError(
    `${result.busName}.${result.handlerName}: "${where}" (${what}) cannot cross a thread boundary. Return plain data: what structuredClone() accepts.`,
    { busName: result.busName, handlerName: result.handlerName },
    where,
  );
  return { ...result, value: null, status: 'error', error: encodeThrown(error) };
}
