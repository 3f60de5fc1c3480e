import { UnserializableError } from '@threadbus/core';
import type { ResultSource } from '@threadbus/core/internal';
import { findUnclonable, ownEntries, type Unclonable } from './clone-path.ts';
import { encodeThrown } from './error-codec.ts';
import { mapResults } from './outcome-codec.ts';
import { FAILED, type WireOutcome, type WireResult, type WireValue } from './protocol.ts';

/** The error for an event whose payload can't cross a thread; names the field. */
export function unclonableError(
  { eventType, eventId, payload }: { readonly eventType: string; readonly eventId: string; readonly payload: object },
  busName: string,
  cause: Error,
): UnserializableError {
  const found = findUnclonable(Object.fromEntries(ownEntries(payload)));
  const field =
    found === null
      ? `${eventType}: ${cause.message}`
      : `${eventType}: field "${found.path}" (${found.what}) cannot cross a thread boundary`;
  return new UnserializableError(
    `${field}; the event was not sent to ${busName}. Send plain data: what structuredClone() accepts.`,
    { busName, eventType, eventId },
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

/** The error, as it travels, in place of a handler's value that can't cross. */
export function unclonableValue(value: unknown, source: ResultSource): WireValue {
  return encodeThrown(resultError(findUnclonable(value) ?? { path: '', what: 'its value' }, source));
}

function failedResult(result: WireResult, found: Unclonable, source: ResultSource): WireResult {
  const [number, id, timeout, , , startedAt, completedAt, children] = result;
  return [number, id, timeout, FAILED, encodeThrown(resultError(found, source)), startedAt, completedAt, children];
}

function resultError({ path, what }: Unclonable, { busName, handlerName }: ResultSource): UnserializableError {
  const where = path === '' ? 'result' : `result.${path}`;
  return new UnserializableError(
    `${busName}.${handlerName}: "${where}" (${what}) cannot cross a thread boundary. Return plain data: what structuredClone() accepts.`,
    { busName, handlerName },
    where,
  );
}
