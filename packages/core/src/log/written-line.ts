import { momentOfIso } from '../basics/clock.ts';

/**
 * The JSON of a line, quicker than `JSON.parse` for lines as this package writes them.
 *
 * Half of such a line says how the event ended, and most events of one type end alike: in the same handlers, with the same
 * outcome. So the last ending of each type is kept, as text and as what it means; of a line that ends in the same way
 * only the front is parsed. Nothing is believed by that: the front, closed by a brace, has to be JSON itself, and to have
 * an `event_id`; so the ending stands where further fields can, and what it means is known but for two times.
 */
export function parseLine(text: string): unknown {
  const known = last;
  const document = known === null ? null : parsedByEnding(text, known);
  if (document !== null) return document;
  const type = typeOf(text);
  if (type === null) return JSON.parse(text);
  const other = endings.get(type);
  if (other === undefined || other === known) return parsedWhole(text, type);
  last = other;
  return parsedByEnding(text, other) ?? parsedWhole(text, type);
}

/** How the events of a type ended: what stands in front of, between and behind the two times. */
interface Ending {
  readonly status: string;
  readonly between: string;
  readonly results: string;
  /** All fields of it; the times are those of one event. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Most events in a row are of one type. */
let last: Ending | null = null;
const endings = new Map<string, Ending>();
const mostTypes = 1_000;
/** A longer one costs more to compare than it is likely to be met again: errors say what they are about. */
const longest = 4_096;

/** What may stand in front of an event's type; a tab begins a batch. */
const head = /\t?\{"event_type":"/y;
const time = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`;
const ending = new RegExp(
  String.raw`^(,"event_status":"completed","event_outcome":"\w+","event_started_at":")${time}(","event_completed_at":")${time}(","event_results":\[[^]*)$`,
);
const statusField = ',"event_status":"completed"';
const timeLength = '2026-01-02T03:04:05.678Z'.length;

function typeOf(text: string): string | null {
  head.lastIndex = 0;
  if (!head.test(text)) return null;
  const end = text.indexOf('"', head.lastIndex);
  return end === -1 ? null : text.slice(head.lastIndex, end);
}

/** @returns null if the line doesn't end like that */
function parsedByEnding(text: string, { status, between, results, fields }: Ending): object | null {
  // Compared as slices: that takes half as long as `startsWith`.
  const completedEnd = text.length - results.length;
  const startedEnd = completedEnd - timeLength - between.length;
  const front = startedEnd - timeLength - status.length;
  if (front <= 0 || text.slice(completedEnd) !== results) return null;
  if (text.slice(startedEnd, startedEnd + between.length) !== between) return null;
  if (text.slice(front, front + status.length) !== status) return null;
  const startedAt = text.slice(startedEnd - timeLength, startedEnd);
  const completedAt = text.slice(completedEnd - timeLength, completedEnd);
  if (momentOfIso(startedAt) === null || momentOfIso(completedAt) === null) return null;
  try {
    const document = JSON.parse(`${text.slice(0, front)}}`) as Record<string, unknown>;
    if (document['event_id'] === undefined) return null;
    Object.assign(document, fields);
    document['event_started_at'] = startedAt;
    document['event_completed_at'] = completedAt;
    return document;
  } catch {
    // Parsed as a whole it says what is wrong with it.
    return null;
  }
}

function parsedWhole(text: string, type: string): unknown {
  const document: unknown = JSON.parse(text);
  const at = text.lastIndexOf(statusField);
  if (at !== -1 && text.length - at < longest && (endings.has(type) || endings.size < mostTypes)) {
    const [whole, status, between, results] = ending.exec(flat(text.slice(at))) ?? [];
    const fields = whole === undefined ? null : fieldsOf(whole);
    if (fields !== null && status !== undefined && between !== undefined && results !== undefined) {
      last = { status: flat(status), between: flat(between), results: flat(results), fields };
      endings.set(type, last);
    }
  }
  return document;
}

function fieldsOf(text: string): Record<string, unknown> | null {
  try {
    const fields = JSON.parse(`{${text.slice(1)}`) as Record<string, unknown>;
    // Assigned it would not become a field.
    return Object.hasOwn(fields, '__proto__') ? null : fields;
  } catch {
    // It was inside of something else.
    return null;
  }
}

/** A part of a text keeps all of it in memory; this has its own. */
function flat(text: string): string {
  return Buffer.from(text).toString();
}
