import { describe } from '../basics/describe.ts';
import { EventValidationError } from '../basics/errors.ts';
import { type EventFields, fieldError, jsonFields } from './event-fields.ts';
import { isProgressField } from './event-restore.ts';
import { fromJsonValue, toJsonValue } from './json-codec.ts';

/** An event's document in two parts. */
export interface SplitJson {
  readonly payload: object;
  readonly given: EventFields;
  readonly document: Readonly<Record<string, unknown>>;
  /** Fields that say nothing here, and that are written again. */
  readonly kept: Readonly<Record<string, unknown>>;
}

function isKept(name: string): boolean {
  return name.startsWith('event_') && name !== 'event_version' && !jsonFields.includes(name) && !isProgressField(name);
}

/** The payload's fields: whatever an event has of its own. */
export function payloadOf(event: object): Record<string, unknown> {
  return { ...event };
}

/** The payload as JSON can hold it. @throws UnserializableError */
export function jsonPayload(event: object): Record<string, unknown> {
  return toJsonValue(payloadOf(event)) as Record<string, unknown>;
}

/** Parts an event's JSON into payload and fields of the framework; the input is never changed. */
export function splitJson(json: unknown, type: string): SplitJson {
  const source: unknown = typeof json === 'string' ? parseJson(json, type) : json;
  if (typeof source !== 'object' || source === null || Array.isArray(source)) {
    throw fieldError('the JSON of an event', 'an object or its text', source, type);
  }
  const entries = Object.entries(source);
  const payload = entries.filter(([name]) => !name.startsWith('event_'));
  const document = source as Readonly<Record<string, unknown>>;
  const given: Record<string, unknown> = Object.fromEntries(
    entries.filter(([name]) => jsonFields.includes(name)).map(withoutZero),
  );
  // As abxbus has it.
  const { event_type, event_version } = document;
  if (given['event_schema'] === undefined && typeof event_version === 'string' && typeof event_type === 'string') {
    given['event_schema'] = `${event_type}@${event_version}`;
  }
  return {
    payload: Object.fromEntries(payload.map(([name, value]) => [name, decodeField(name, value, type)])),
    given,
    document,
    kept: Object.fromEntries(entries.filter(([name]) => isKept(name))),
  };
}

/** Others of this family write 0 for no limit. */
function withoutZero(field: [string, unknown]): [string, unknown] {
  return field[0] === 'event_timeout' && field[1] === 0 ? ['event_timeout', null] : field;
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
