import { fromEpoch } from '../basics/clock.ts';
import { BaseEvent, setPath } from '../event/base-event.ts';
import type { PathStep } from '../event/bus-names.ts';
import { ownIds } from '../event/event-id.ts';
import { checkEventType } from '../event/event-fields.ts';
import { isReserved } from '../event/event-schema.ts';
import { fromJsonValue } from '../event/json-codec.ts';
import { TrustedFields, TrustedPayload } from '../event/trusted.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** Types that were looked at: a log has few of them, over and over. */
const knownTypes = new Set<string>();
const mostTypes = 1_000;

/** An event from its JSON, pending. @throws EventValidationError */
export function restoreEvent(document: Record<string, unknown>): BaseEvent {
  return asWritten(document) ?? BaseEvent.fromJSON(document);
}

/**
 * The same for a document as we write them: a few looks at each field instead of all the checks that find out what is
 * wrong with it, and where.
 *
 * @returns null if it is not quite like that
 */
function asWritten(document: Record<string, unknown>): BaseEvent | null {
  const { event_type, event_schema, event_id, event_parent_id, event_path, event_timeout, event_created_at } = document;
  if (typeof event_type !== 'string' || typeof event_schema !== 'string') return null;
  if (typeof event_id !== 'string' || !uuid.test(event_id)) return null;
  if (event_parent_id !== null && !(typeof event_parent_id === 'string' && uuid.test(event_parent_id))) return null;
  if (event_timeout !== null && !(typeof event_timeout === 'number' && event_timeout > 0)) return null;
  if (typeof event_created_at !== 'string' || !isoTime.test(event_created_at)) return null;
  const createdAt = Date.parse(event_created_at);
  const path = pathOf(event_path);
  if (path === null || Number.isNaN(createdAt)) return null;
  checkType(event_type);
  const payload: Record<string, unknown> = {};
  for (const name of Object.keys(document)) {
    if (name.startsWith('event_')) continue;
    if (isReserved(name)) return null;
    const value = document[name];
    payload[name] = typeof value === 'object' ? fromJsonValue(value) : value;
  }
  const fields = { type: event_type, schema: event_schema, timeout: event_timeout };
  const trusted = new TrustedFields(fields, event_id, 0, ownIds, event_parent_id, fromEpoch(createdAt));
  const event = new BaseEvent(new TrustedPayload(payload), trusted);
  setPath(event, path);
  return event;
}

function pathOf(names: unknown): PathStep[] | null {
  if (!Array.isArray(names)) return null;
  const steps: PathStep[] = [];
  for (const name of names as unknown[]) {
    if (typeof name !== 'string') return null;
    steps.push({ id: null, name });
  }
  return steps;
}

function checkType(type: string): void {
  if (knownTypes.has(type)) return;
  checkEventType(type);
  if (knownTypes.size < mostTypes) knownTypes.add(type);
}
