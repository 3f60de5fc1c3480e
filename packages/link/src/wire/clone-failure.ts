import type { BaseEvent } from '@threadbus/core';
import { type ResultSource, UnserializableError } from '@threadbus/core/internal';
import { findUnclonable, findUncopied, ownEntries, type Unclonable } from './clone-path.ts';
import { encodeThrown } from './error-codec.ts';
import { UNOFFERED, type WireEvent, type WireValue } from './protocol.ts';

/** The error for an event that can't be sent. */
export function unsentError(event: BaseEvent, busName: string, cause: Error): UnserializableError {
  return unclonableError({ eventType: event.event_type, eventId: event.event_id, payload: event }, busName, cause);
}

/** The error for an event that was sent, and that the other side can't read. */
export function unreadError(
  { event_type: eventType, event_id: eventId }: BaseEvent,
  busName: string,
  cause: Error,
): UnserializableError {
  return new UnserializableError(
    `${eventType} can't be read by ${busName}: ${cause.message} Nested as deep, it may need more stack than there is (resourceLimits.stackSizeMb); else send plain data, which both sides' versions of Node.js know.`,
    { busName, eventType, eventId },
    '',
    { cause },
  );
}

/** The same for one that may be known by its payload alone; names the field. */
function unclonableError(
  { eventType, eventId, payload }: { readonly eventType: string; readonly eventId: string; readonly payload: object },
  busName: string,
  cause: Error,
): UnserializableError {
  const found = findInFields(payload);
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

/** Instead of an OFFER whose event can't cross. */
export function unoffered(
  expectation: number,
  [eventType, , eventId, , , , , payload]: WireEvent,
  busName: string,
  cause: Error,
): readonly unknown[] {
  return [UNOFFERED, expectation, encodeThrown(unclonableError({ eventType, eventId, payload }, busName, cause))];
}

/** The first field that is to blame: of all of them, before one that can't leave the process alone. */
function findInFields(payload: object): Unclonable | null {
  const fields = ownEntries(payload);
  for (const find of [findUncopied, findUnclonable]) {
    for (const [name, value] of fields) {
      const found = find(value, [name]);
      if (found !== null) return found;
    }
  }
  return null;
}

/** The error, as it travels, in place of a handler's value that can't cross. */
export function unclonableValue(value: unknown, source: ResultSource): WireValue {
  return unclonableResult(findUnclonable(value) ?? { path: '', what: 'its value' }, source);
}

/** The same for what was found in it. */
export function unclonableResult(found: Unclonable, source: ResultSource): WireValue {
  return encodeThrown(resultError(found, source));
}

function resultError({ path, what }: Unclonable, { busName, handlerName }: ResultSource): UnserializableError {
  const where = path === '' ? 'result' : `result${path.startsWith('[') ? '' : '.'}${path}`;
  return new UnserializableError(
    `${busName}.${handlerName}: "${where}" (${what}) cannot cross a thread boundary. Return plain data: what structuredClone() accepts.`,
    { busName, handlerName },
    where,
  );
}
