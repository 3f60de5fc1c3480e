import { describe } from '../basics/describe.ts';
import { EventValidationError } from '../basics/errors.ts';
import { type EventFields, fieldError, jsonFields } from './event-fields.ts';
import { fromJsonValue } from './json-codec.ts';

/** An event's document in two parts. */
export interface SplitJson {
  readonly payload: object;
  readonly given: EventFields;
}

/** The payload's fields: whatever an event has of its own. */
export function payloadOf(event: object): Record<string, unknown> {
  return { ...event };
}

/** Parts an event's JSON into payload and fields of the framework; the input is never changed. */
export function splitJson(json: unknown, type: string): SplitJson {
  const source: unknown = typeof json === 'string' ? parseJson(json, type) : json;
  if (typeof source !== 'object' || source === null || Array.isArray(source)) {
    throw fieldError('the JSON of an event', 'an object or its text', source, type);
  }
  const entries = Object.entries(source);
  const payload = entries.filter(([name]) => !name.startsWith('event_'));
  return {
    payload: Object.fromEntries(payload.map(([name, value]) => [name, decodeField(name, value, type)])),
    // Other `event_…` names in a document, such as the times that a log adds, say nothing about a fresh event.
    given: Object.fromEntries(entries.filter(([name]) => jsonFields.includes(name))),
  };
}

function decodeField(name: string, value: unknown, type: string): unknown {
  try {
    return fromJsonValue(value);
  } catch (cause) {
    throw new EventValidationError(
      `${type}: field ${name} of the JSON can't be read, it is nested too deep: ${(cause as Error).message}`,
      { eventType: type },
      [{ path: name, message: 'nested too deep' }],
      { cause },
    );
  }
}

function parseJson(text: string, type: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new EventValidationError(
      `${type}: expected the JSON of an event; ${describe(text)} is not JSON: ${(cause as Error).message}`,
      { eventType: type },
      [],
      { cause },
    );
  }
}
