import { type BaseEvent, UnserializableError } from '@threadbus/core';
import type { ResultSource } from '@threadbus/core/internal';
import { findUnclonable, type Unclonable } from './clone-path.ts';
import { encodeThrown } from './error-codec.ts';
import { mapResults } from './outcome-codec.ts';
import { FAILED, type WireOutcome, type WireResult } from './protocol.ts';

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
export function withoutUnclonable(outcome: WireOutcome, sourceAt: (number: number) => ResultSource): WireOutcome {
  return mapResults(outcome, (result) => {
    const found = findUnclonable(result[4]);
    return found === null ? result : failedResult(result, found, sourceAt(result[0]));
  });
}

function failedResult(result: WireResult, { path, what }: Unclonable, source: ResultSource): WireResult {
  const { busName, handlerName } = source;
  const where = path === '' ? 'result' : `result.${path}`;
  const error = new UnserializableError(
    `${busName}.${handlerName}: "${where}" (${what}) cannot cross a thread boundary. Return plain data: what structuredClone() accepts.`,
    { busName, handlerName },
    where,
  );
  const [number, id, timeout, , , startedAt, completedAt, children] = result;
  return [number, id, timeout, FAILED, encodeThrown(error), startedAt, completedAt, children];
}
