import { fromEpoch, type Moment, never } from '../basics/clock.ts';
import { type EventOutcome, recordedResults } from './event-outcome.ts';
import { EventResult, resultRestored, type ResultStatus } from './event-result.ts';
import { fromJsonValue } from './json-codec.ts';
import { keepFields, keepTimes } from './kept-fields.ts';
import type { Lifecycle } from './lifecycle.ts';

/** What a document says of an event's progress; others of this family have no outcome, and results by handler id. */
const progressFields = new Set([
  'event_status',
  'event_outcome',
  'event_started_at',
  'event_completed_at',
  'event_results',
]);
const outcomes: readonly unknown[] = ['failed', 'cancelled', 'succeeded'] satisfies readonly EventOutcome[];
const statuses: readonly unknown[] = ['pending', 'started', 'completed', 'error'] satisfies readonly ResultStatus[];

export function isProgressField(name: string): boolean {
  return progressFields.has(name);
}

/** Gives an event that was made of a document the status, times and results that the document tells. */
export function restoreProgress(
  lifecycle: Lifecycle,
  timeout: number | null,
  document: Readonly<Record<string, unknown>>,
): void {
  const { event_status, event_outcome, event_results, event_started_at, event_completed_at } = document;
  if (event_status !== 'started' && event_status !== 'completed') return;
  const results = Object.values(isObject(event_results) ? event_results : []).filter(isObject);
  const restored = results.map((result) => restoreResult(lifecycle, timeout, result));
  const isRecorded = event_status === 'completed' && outcomes.includes(event_outcome);
  const kept = isRecorded ? recordedResults(restored, event_outcome as EventOutcome) : restored;
  lifecycle.restore(momentOf(event_started_at), momentOf(event_completed_at), kept, event_status);
}

const resultFields = new Set([
  'id',
  'status',
  'event_id',
  'handler_id',
  'handler_name',
  'timeout',
  'eventbus_id',
  'eventbus_name',
  'started_at',
  'completed_at',
  'thread_id',
  'pid',
  'result',
  'error',
]);

function restoreResult(
  lifecycle: Lifecycle,
  eventTimeout: number | null,
  document: Readonly<Record<string, unknown>>,
): EventResult {
  const { id, handler_id, handler_name, eventbus_id, eventbus_name, status, timeout, thread_id, pid } = document;
  const source = {
    handlerId: text(handler_id),
    handlerName: text(handler_name),
    busId: text(eventbus_id),
    busName: text(eventbus_name),
  };
  const result = new EventResult(lifecycle, source, typeof timeout === 'number' ? timeout : eventTimeout);
  resultRestored(result, typeof id === 'string' ? id : null, {
    status: statuses.includes(status) ? (status as ResultStatus) : 'pending',
    value: fromJsonValue(document['result'] ?? null),
    error: status === 'error' ? restoreError(document['error']) : null,
    startedAt: momentOf(document['started_at']),
    completedAt: momentOf(document['completed_at']),
    ranIn: typeof thread_id === 'number' && typeof pid === 'number' ? { threadId: thread_id, pid } : null,
  });
  keepTimes(result, document);
  keepFields(result, Object.fromEntries(Object.entries(document).filter(([name]) => !resultFields.has(name))));
  return result;
}

/** Errors of the language itself are what they were; of others the class stayed where they were thrown. */
const builtIn: ReadonlyMap<string, ErrorConstructor> = new Map(
  [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError].map((Class) => [Class.name, Class]),
);

/** By name, message, code and stack, or as others write it: `TypeError: text`. */
function restoreError(document: unknown): Error {
  const written = typeof document === 'string' ? /^(?:([A-Za-z_$][\w$.]*): )?([^]*)$/.exec(document) : null;
  const fields = isObject(document) ? document : { name: written?.[1], message: written?.[2] };
  const name = text(fields['name'] ?? 'Error');
  const error = new (builtIn.get(name) ?? Error)(text(fields['message']));
  if (error.name !== name) define(error, 'name', name);
  if (typeof fields['stack'] === 'string') define(error, 'stack', fields['stack']);
  else delete error.stack;
  const { code } = fields;
  return code === undefined ? error : Object.assign(error, { code });
}

function define(error: Error, name: string, value: string): void {
  Object.defineProperty(error, name, { value, configurable: true, writable: true });
}

function momentOf(time: unknown): Moment {
  const epochMs = typeof time === 'string' ? Date.parse(time) : Number.NaN;
  return Number.isNaN(epochMs) ? never : fromEpoch(epochMs);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
