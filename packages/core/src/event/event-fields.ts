import type { ZodLike } from './zod-like.ts';
import { describe } from '../basics/describe.ts';
import { checkLimit } from '../basics/duration.ts';
import { EventValidationError } from '../basics/errors.ts';
import { isName, nameRule } from '../basics/names.ts';
import { optionMeant } from '../basics/options.ts';

/** Fields that the framework manages; given to an event's constructor beside its payload. */
export interface EventFields {
  /** Only for `new BaseEvent(…)`; other classes have their own type. @default the class's, 'BaseEvent' */
  readonly event_type?: string | undefined;
  /** `Name@version`. @default the class's */
  readonly event_schema?: string | undefined;
  /** A UUID. @default a new UUIDv7 */
  readonly event_id?: string | undefined;
  /** UUID of the event whose handler dispatched this one. @default set by the first dispatch inside a handler */
  readonly event_parent_id?: string | null | undefined;
  /** Names of the buses that had the event, in order. @default none */
  readonly event_path?: readonly string[] | undefined;
  /** Limit for each handler in seconds; null or Infinity = none. @default the class's, which is 60 unless given */
  readonly event_timeout?: number | null | undefined;
  /** ISO 8601 with a time zone. @default now */
  readonly event_created_at?: string | undefined;
  /** What handlers must return. @default the class's */
  readonly event_result_type?: ZodLike | null | undefined;
}

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const isoTime = /^[+-]?\d{4,6}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)$/;
/** Those that an event's JSON has. */
export const jsonFields: readonly string[] = [
  'event_type',
  'event_schema',
  'event_id',
  'event_parent_id',
  'event_path',
  'event_timeout',
  'event_created_at',
];
const fieldNames = [...jsonFields, 'event_result_type'];

/** The second argument of an event's constructor holds fields of the framework and nothing else. */
export function checkFieldNames(given: unknown, eventType: string): void {
  if (typeof given !== 'object' || given === null) {
    throw fieldError("the event's fields (the second argument)", 'an object', given, eventType);
  }
  const wrong = Object.keys(given).find((name) => !fieldNames.includes(name));
  if (wrong === undefined) return;
  throw new EventValidationError(
    `${eventType}: an event has no field '${wrong}'. The second argument takes: ${fieldNames.join(', ')}. The payload is the first.${optionMeant(wrong, fieldNames)}`,
    { eventType },
    [{ path: wrong, message: 'unknown field' }],
  );
}

/** @throws EventValidationError */
export function checkEventType(name: unknown): string {
  if (isName(name)) return name;
  throw new EventValidationError(
    `Expected an event type to be ${nameRule}, such as 'UserCreated' or 'user.created'; got ${describe(name)}.`,
    {},
    [{ path: 'event_type', message: `expected ${nameRule}` }],
  );
}

/** Lower case with hyphens, whatever form came in. */
export function checkUuid(field: string, value: unknown, eventType: string): string {
  if (typeof value === 'string' && uuid.test(value)) {
    const digits = value.toLowerCase().replaceAll('-', '');
    return [0, 8, 12, 16, 20].map((start, i) => digits.slice(start, [8, 12, 16, 20, 32][i])).join('-');
  }
  throw fieldError(field, 'a UUID', value, eventType);
}

export function checkParentId(value: unknown, eventType: string): string | null {
  return value === undefined || value === null ? null : checkUuid('event_parent_id', value, eventType);
}

export function checkTimeout(value: unknown, eventType: string): number | null {
  try {
    return checkLimit('event_timeout (seconds)', value);
  } catch (cause) {
    throw new EventValidationError(
      `${eventType}: ${(cause as Error).message}`,
      { eventType },
      [{ path: 'event_timeout', message: (cause as Error).message }],
      { cause },
    );
  }
}

/** @returns epoch milliseconds */
export function checkCreatedAt(value: unknown, eventType: string): number {
  const time = typeof value === 'string' && isoTime.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(time)) {
    throw fieldError(
      'event_created_at',
      "an ISO 8601 time with a time zone, such as '2026-01-31T12:00:00.000Z'",
      value,
      eventType,
    );
  }
  return time;
}

export function checkPath(value: unknown, eventType: string): string[] {
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return [...value];
  throw fieldError('event_path', 'an array of bus names', value, eventType);
}

export function checkText(field: string, value: unknown, eventType: string): string {
  if (typeof value === 'string') return value;
  throw fieldError(field, 'a string', value, eventType);
}

export function fieldError(field: string, expected: string, value: unknown, eventType: string): EventValidationError {
  return new EventValidationError(
    `${eventType}: expected ${field} to be ${expected}; got ${describe(value)}.`,
    { eventType },
    [{ path: field, message: `expected ${expected}` }],
  );
}
