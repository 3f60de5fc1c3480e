import { describe } from '../basics/describe.ts';
import { errorField, errorFields } from '../basics/error-fields.ts';
import { checkOptions } from '../basics/options.ts';
import type { EventResult } from './event-result.ts';
import { toJsonValue } from './json-codec.ts';
import { keptFields, timeText } from './kept-fields.ts';

/** Options of `eventSnapshot`. */
export interface SnapshotOptions {
  /** Whose reader the document is for. @default this package's own */
  readonly for?: 'abxbus' | 'bubus' | undefined;
}

/** What a snapshot is taken of. */
interface SnapshotSubject {
  readonly event_id: string;
  readonly event_type: string;
  readonly event_schema: string;
  readonly event_status: string;
  readonly event_outcome: string | null;
  readonly event_started_at: string | null;
  readonly event_completed_at: string | null;
  readonly event_results: ReadonlyMap<string, EventResult>;
  readonly event_children: readonly object[];
  toJSON(): Record<string, unknown>;
}

type Document = Record<string, unknown>;

/** Everything that is known of an event, as JSON can hold it. @throws UnserializableError */
export function snapshotOf(event: SnapshotSubject, options: SnapshotOptions): Document {
  checkOptions('eventSnapshot', options, ['for']);
  const { for: reader } = options;
  if (reader === undefined) return ownSnapshot(event);
  if (reader === 'abxbus') return abxbusSnapshot(event);
  if (reader === 'bubus') return bubusSnapshot(event);
  throw new TypeError(`Expected the reader of a snapshot to be 'abxbus' or 'bubus'; got ${describe(reader)}.`);
}

function ownSnapshot(event: SnapshotSubject): Document {
  const { event_status, event_outcome } = event;
  return {
    ...event.toJSON(),
    event_status,
    event_outcome,
    ...timesOf(event),
    event_results: resultsOf(event).map(resultDocument),
    event_children: childIds(event, event.event_children),
  };
}

function resultDocument(result: EventResult): Document {
  const { id, status, handler_id, handler_name, eventbus_id, eventbus_name, timeout } = result;
  const { started_at, completed_at, thread_id, pid } = result;
  return {
    ...keptFields(result),
    id,
    status,
    handler_id,
    handler_name,
    eventbus_id,
    eventbus_name,
    timeout,
    started_at: timeText(result, 'started_at', started_at),
    completed_at: timeText(result, 'completed_at', completed_at),
    thread_id,
    pid,
    result: valueOf(result),
    error: status === 'error' ? errorDocument(result.error) : null,
    event_children: childIds(result, result.event_children),
  };
}

function timesOf(event: SnapshotSubject): Document {
  return {
    event_started_at: timeText(event, 'event_started_at', event.event_started_at),
    event_completed_at: timeText(event, 'event_completed_at', event.event_completed_at),
  };
}

/** Of one that was restored the ids are all that is known. */
function childIds(owner: object, children: readonly object[]): unknown {
  return children.length > 0 ? children.map(idOf) : (keptFields(owner)['event_children'] ?? []);
}

/** An event that a handler has returned is told by its id. */
function valueOf({ result }: EventResult): unknown {
  return isEvent(result) ? result.event_id : toJsonValue(result);
}

function errorDocument(error: unknown): Document {
  const stack = errorField(error, 'stack');
  return { ...errorFields(error), ...(typeof stack === 'string' && { stack }) };
}

/** What abxbus reads beyond the fields that it shares with us; it refuses every other `event_…`. */
const abxbusFields = new Set([
  'event_slow_timeout',
  'event_concurrency',
  'event_handler_timeout',
  'event_handler_slow_timeout',
  'event_handler_concurrency',
  'event_handler_completion',
  'event_blocks_parent_completion',
  'event_result_type',
  'event_emitted_by_handler_id',
  'event_pending_bus_count',
]);

function abxbusSnapshot(event: SnapshotSubject): Document {
  const { event_schema, ...json } = event.toJSON();
  const shared = Object.entries(json).filter(([name]) => isOurs(name) || abxbusFields.has(name));
  const { event_status } = event;
  const results = resultsOf(event).map((result): [string, Document] => {
    const {
      thread_id: _thread,
      pid: _pid,
      timeout: _timeout,
      result: value,
      error,
      ...document
    } = resultDocument(result);
    const outcome = result.status === 'error' ? { error } : { result: value };
    return [result.handler_id, { ...document, event_id: event.event_id, ...outcome }];
  });
  return {
    event_pending_bus_count: 0,
    event_blocks_parent_completion: false,
    ...Object.fromEntries(shared),
    event_version: String(event_schema).split('@').at(-1),
    event_status,
    ...timesOf(event),
    ...(results.length > 0 && { event_results: Object.fromEntries(results) }),
  };
}

/** bubus keeps what it doesn't know, and takes an error for its text. */
function bubusSnapshot(event: SnapshotSubject): Document {
  const times = timesOf(event);
  const results = resultsOf(event).map((result): [string, Document] => {
    const { error } = result;
    const text = error instanceof Error ? `${error.name}: ${error.message}` : null;
    return [result.handler_id, { ...resultDocument(result), event_id: event.event_id, error: text }];
  });
  return {
    ...event.toJSON(),
    event_processed_at: times['event_started_at'],
    ...times,
    event_status: event.event_status,
    event_results: Object.fromEntries(results),
  };
}

const shared = new Set([
  'event_type',
  'event_id',
  'event_parent_id',
  'event_path',
  'event_timeout',
  'event_created_at',
]);

function isOurs(name: string): boolean {
  return !name.startsWith('event_') || shared.has(name);
}

function resultsOf({ event_results }: SnapshotSubject): EventResult[] {
  return [...event_results.values()];
}

function isEvent(value: unknown): value is { readonly event_id: string } {
  return typeof value === 'object' && value !== null && 'event_id' in value && 'eventReset' in value;
}

function idOf(event: object): string {
  return (event as { event_id: string }).event_id;
}
