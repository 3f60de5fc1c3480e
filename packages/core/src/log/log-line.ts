import { isoTime, type Moment } from '../basics/clock.ts';
import { errorFields } from '../basics/error-fields.ts';
import type { BaseEvent } from '../event/base-event.ts';
import { payloadOf } from '../event/event-json.ts';
import { outcomeOfResults } from '../event/event-outcome.ts';
import { type EventResult, type ResultSource, sourceOf } from '../event/event-result.ts';
import { toJsonValue } from '../event/json-codec.ts';
import { lifecycleOf } from '../event/result-helpers.ts';

/**
 * The lines of a log. Each is the JSON of an event, as `toJSON()` has it but for the values, which are tagged where JSON
 * has no words for them, and `event_status`:
 *   'pending'    the event has arrived ("ahead" only), with the path that it had before it came to this bus
 *   'completed'  its end: `event_outcome`, times and `event_results`
 *
 * Beside those:
 *   event_stopped    an end that was the stop of a bus, whose name it is: the event is to be done again
 *   event_copy       the event came over a link; the other side has its own copy, which ends later
 *   event_unwritten  an end without payload, which had become something that can't be written
 *   event_carried    an arrival or an end that a compaction has brought here, older than every line without the mark
 */
export interface LineMarks {
  readonly event_status?: unknown;
  readonly event_outcome?: unknown;
  readonly event_started_at?: unknown;
  readonly event_completed_at?: unknown;
  readonly event_results?: unknown;
  readonly event_stopped?: unknown;
  readonly event_copy?: unknown;
  readonly event_unwritten?: unknown;
  readonly event_carried?: unknown;
}

/**
 * Begins what is written at once. JSON as we write it has no such character, so a reader finds the beginning also
 * behind a line that was torn; and to everybody else it is white space in front of an object.
 */
export const batchStart = '\t';

const carried = '"event_carried":true,';

/** @throws UnserializableError naming the field that can't be written */
export function arrivalLine(event: BaseEvent): string {
  return `${headOf(event)}${payloadText(event)},"event_status":"pending"${copyMark(event)}}\n`;
}

/**
 * @param stoppedBy name of the bus whose stop was the event's end
 * @throws UnserializableError naming the field that can't be written
 */
export function endLine(event: BaseEvent, at: Moment, stoppedBy: string | null): string {
  return `${headOf(event)}${payloadText(event)}${endText(event, at, stoppedBy)}}\n`;
}

/** Tells that the event has ended, when its payload can't be written any more. */
export function bareEndLine(event: BaseEvent, at: Moment, stoppedBy: string | null): string {
  return `${headOf(event)}${endText(event, at, stoppedBy)},"event_unwritten":true}\n`;
}

/** The end of an event whose arrival a compaction has carried along before it came. */
export function carriedEnd(id: string, at: Moment): string {
  return `{${carried}"event_id":${JSON.stringify(id)},"event_status":"completed","event_completed_at":"${isoTime(at)}","event_unwritten":true}`;
}

/** The same line, as one from before. */
export function carriedLine(text: string): string {
  const object = text.trimStart();
  return object.includes(carried) ? object : `{${carried}${object.slice(1)}`;
}

/** Most events in a row are of one type: what they have in common is put together once. */
let kind = { type: '', schema: '', text: '' };

function headOf(event: BaseEvent): string {
  const { event_type, event_schema, event_parent_id, event_path } = event;
  if (kind.type !== event_type || kind.schema !== event_schema) {
    const text = `{"event_type":${JSON.stringify(event_type)},"event_schema":${JSON.stringify(event_schema)},`;
    kind = { type: event_type, schema: event_schema, text };
  }
  const parent = event_parent_id === null ? 'null' : `"${event_parent_id}"`;
  return `${kind.text}"event_id":"${event.event_id}","event_parent_id":${parent},"event_path":${JSON.stringify(event_path)},"event_timeout":${event.event_timeout ?? 'null'},"event_created_at":"${event.event_created_at}"`;
}

function payloadText(event: BaseEvent): string {
  const text = JSON.stringify(toJsonValue(payloadOf(event)));
  return text === '{}' ? '' : `,${text.slice(1, -1)}`;
}

function endText(event: BaseEvent, at: Moment, stoppedBy: string | null): string {
  const lifecycle = lifecycleOf(event);
  const results = lifecycle.results as readonly EventResult[];
  const started = isoTime(lifecycle.startedAt);
  const stopped = stoppedBy === null ? '' : `,"event_stopped":${JSON.stringify(stoppedBy)}`;
  return `,"event_status":"completed","event_outcome":"${outcomeOfResults(lifecycle)}","event_started_at":${started === null ? 'null' : `"${started}"`},"event_completed_at":"${isoTime(at)}","event_results":[${results.map(resultText).join()}]${stopped}${copyMark(event)}`;
}

function copyMark(event: BaseEvent): string {
  return lifecycleOf(event).extras.cameOver === null ? '' : ',"event_copy":true';
}

interface SourceText {
  readonly busId: string;
  readonly busName: string;
  readonly text: string;
}

/** A handler is the same for all its events. */
const sourceTexts = new WeakMap<ResultSource, SourceText>();

function resultText(result: EventResult): string {
  const source = sourceText(sourceOf(result));
  if (result.status !== 'error') return `${source},"status":"${result.status}","error":null}`;
  return `${source},"status":"error","error":${JSON.stringify(errorFields(result.error))}}`;
}

function sourceText(source: ResultSource): string {
  const known = sourceTexts.get(source);
  const { busId, busName } = source;
  // A bus may be given another name and id.
  if (known?.busId === busId && known.busName === busName) return known.text;
  const { handlerId, handlerName } = source;
  const fields = { handler_id: handlerId, handler_name: handlerName, eventbus_id: busId, eventbus_name: busName };
  const text = JSON.stringify(fields).slice(0, -1);
  sourceTexts.set(source, { busId, busName, text });
  return text;
}
