import { momentOfIso } from '../basics/clock.ts';
import { BaseEvent, setPath } from '../event/base-event.ts';
import type { PathStep } from '../event/bus-names.ts';
import { ownIds } from '../event/event-id.ts';
import { checkEventType } from '../event/event-fields.ts';
import { isReserved } from '../event/event-schema.ts';
import { fromJsonValue } from '../event/json-codec.ts';
import { TrustedFields, TrustedPayload } from '../event/trusted.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
/** Types that were looked at: a log has few of them, over and over. */
const knownTypes = new Set<string>();
const mostTypes = 1_000;

/** An event from its JSON, pending, whatever that says of its status. @throws EventValidationError */
export function restoreEvent(document: Record<string, unknown>): BaseEvent {
  return asWritten(document) ?? BaseEvent.fromJSON(withoutStatus(document));
}

/** JSON that tells a status is restored with all that it tells. */
function withoutStatus({ event_status: _status, ...document }: Record<string, unknown>): Record<string, unknown> {
  return document;
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
  const createdAt = typeof event_created_at === 'string' ? momentOfIso(event_created_at) : null;
  const path = pathOf(event_path);
  if (path === null || createdAt === null) return null;
  checkType(event_type);
  const names = payloadNames(document);
  if (names === null) return null;
  const own = { type: event_type, schema: event_schema, timeout: event_timeout };
  const trusted = new TrustedFields(own, event_id, 0, ownIds, event_parent_id, createdAt);
  const event = new BaseEvent(new LoggedPayload(document, names), trusted);
  setPath(event, path);
  return event;
}

/** The payload's part of a document that has been checked. */
class LoggedPayload extends TrustedPayload {
  readonly #document: Readonly<Record<string, unknown>>;
  readonly #names: readonly string[];

  constructor(document: Readonly<Record<string, unknown>>, names: readonly string[]) {
    super(document);
    this.#document = document;
    this.#names = names;
  }

  override assignTo(event: object): void {
    for (const name of this.#names) {
      const value = this.#document[name];
      (event as Record<string, unknown>)[name] = typeof value === 'object' ? fromJsonValue(value) : value;
    }
  }
}

/** The fields of the document before, and which of them are payload: most in a row have the same. */
let fields: { readonly all: readonly string[]; readonly payload: readonly string[] } = { all: [], payload: [] };

/** @returns null if one has a name that no field may have */
function payloadNames(document: object): readonly string[] | null {
  const all = Object.keys(document);
  const before = fields.all;
  if (all.length === before.length && all.every((name, i) => name === before[i])) return fields.payload;
  const payload = all.filter((name) => !name.startsWith('event_'));
  if (payload.some((name) => isReserved(name))) return null;
  fields = { all, payload };
  return payload;
}

/** The one before: most events in a row went the same way. Never changed, so they can share it. */
let lastPath: readonly PathStep[] = [];

function pathOf(names: unknown): readonly PathStep[] | null {
  if (!Array.isArray(names)) return null;
  if (names.length === lastPath.length && lastPath.every(({ name }, i) => name === names[i])) return lastPath;
  const steps: PathStep[] = [];
  for (const name of names as unknown[]) {
    if (typeof name !== 'string') return null;
    steps.push({ id: null, name });
  }
  lastPath = steps;
  return steps;
}

function checkType(type: string): void {
  if (knownTypes.has(type)) return;
  checkEventType(type);
  if (knownTypes.size < mostTypes) knownTypes.add(type);
}
