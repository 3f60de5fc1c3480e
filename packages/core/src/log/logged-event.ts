import { fromEpoch, type Moment, momentOfIso, never } from '../basics/clock.ts';
import { EventValidationError } from '../basics/errors.ts';
import type { BaseEvent } from '../event/base-event.ts';
import { type EventOutcome, recordedResults } from '../event/event-outcome.ts';
import { EventResult, resultRestored, type ResultSource } from '../event/event-result.ts';
import { lifecycleOf } from '../event/result-helpers.ts';
import type { LineMarks } from './log-line.ts';
import { restoreEvent } from './restore-event.ts';

const outcomes: readonly unknown[] = ['failed', 'cancelled', 'succeeded'] satisfies readonly EventOutcome[];

/** The event that a line tells of, as it was dispatched: pending, without what became of it. @throws EventValidationError */
export function dispatchedEvent({ event_stopped, ...document }: Record<string, unknown> & LineMarks): BaseEvent {
  checkType(document);
  const path = document['event_path'];
  // The end of an event has the whole path; the bus that was stopped, and those behind it, are to have it again.
  const step = Array.isArray(path) && typeof event_stopped === 'string' ? path.indexOf(event_stopped) : -1;
  const dispatched = step === -1 ? document : { ...document, event_path: (path as unknown[]).slice(0, step) };
  return restoreEvent(dispatched);
}

/** The same, as its end left it: completed, with its outcome and results. @throws EventValidationError */
export function endedEvent(document: Record<string, unknown> & LineMarks): BaseEvent {
  checkType(document);
  const event = restoreEvent(document);
  const { event_outcome, event_results } = document;
  // What other programs have logged tells only what there was to do.
  if (!outcomes.includes(event_outcome)) return event;
  const lifecycle = lifecycleOf(event);
  const logged = Array.isArray(event_results) ? (event_results as LoggedResult[]) : [];
  const results = logged.map((result) => restoreResult(event, result));
  // Where the results alone tell the outcome, nothing needs to be kept of it.
  const isPlain = event_outcome === 'succeeded' && results.every(({ status }) => status === 'completed');
  lifecycle.restore(
    moment(document.event_started_at),
    moment(document.event_completed_at),
    isPlain ? results : recordedResults(results, event_outcome as EventOutcome),
    'completed',
  );
  return event;
}

/** Any object would make an event: a plain one, with all its fields as payload. */
function checkType({ event_type }: Record<string, unknown>): void {
  if (event_type !== undefined) return;
  throw new EventValidationError('It tells of no event: there is no event_type.', {}, [
    { path: 'event_type', message: 'missing' },
  ]);
}

interface LoggedResult {
  readonly handler_id?: unknown;
  readonly handler_name?: unknown;
  readonly eventbus_id?: unknown;
  readonly eventbus_name?: unknown;
  readonly status?: unknown;
  readonly error?: { readonly name?: unknown; readonly message?: unknown; readonly code?: unknown } | null;
}

function restoreResult(event: BaseEvent, logged: LoggedResult): EventResult {
  const source = sourceOf(logged);
  const result = new EventResult(lifecycleOf(event), source, event.event_timeout);
  const error = logged.status === 'error' ? restoreError(logged.error ?? {}) : null;
  const status = error === null ? 'completed' : 'error';
  resultRestored(result, null, { status, value: null, error, startedAt: never, completedAt: never });
  return result;
}

/** The one before: most events in a row have the same handler. */
let last: ResultSource = { handlerId: '', handlerName: '', busId: '', busName: '' };

function sourceOf({ handler_id, handler_name, eventbus_id, eventbus_name }: LoggedResult): ResultSource {
  const { handlerId, handlerName, busId, busName } = last;
  if (handler_id === handlerId && handler_name === handlerName && eventbus_id === busId && eventbus_name === busName) {
    return last;
  }
  last = {
    handlerId: String(handler_id),
    handlerName: String(handler_name),
    busId: String(eventbus_id),
    busName: String(eventbus_name),
  };
  return last;
}

/** By name, message and code: a stack, and the class that gives methods, stayed where it was thrown. */
function restoreError({ name, message, code }: NonNullable<LoggedResult['error']>): Error {
  const error = new Error(String(message));
  delete error.stack;
  Object.defineProperty(error, 'name', { value: String(name), configurable: true, writable: true });
  return code === undefined ? error : Object.assign(error, { code });
}

function moment(time: unknown): Moment {
  if (typeof time !== 'string') return never;
  const written = momentOfIso(time);
  if (written !== null) return written;
  const epochMs = Date.parse(time);
  return Number.isNaN(epochMs) ? never : fromEpoch(epochMs);
}
