import { BaseEvent, EventResult } from '@threadbus/core';
import {
  addChild,
  completedAtOf,
  type EventConstructor,
  fromWire,
  type Lifecycle,
  knownIdOf,
  lifecycleOf,
  type Moment,
  resultRestored,
  type ResultSource,
  sourceOf,
  startedAtOf,
  toWire,
} from '@threadbus/core/internal';
import { decodeThrown, encodeThrown } from './error-codec.ts';
import { decodeEvent, encodeEvent, encodePath, mergePath } from './event-codec.ts';
import * as wire from './protocol.ts';
import type { WireChild, WireOutcome, WireResult } from './protocol.ts';

type Result = EventResult<unknown, BaseEvent>;

/** What encoding needs of the link. */
export interface OutcomeWriter {
  numberOf(source: ResultSource): number;
  /** Whether the event came here from the other side, over this link: it has all of it then. */
  brought(lifecycle: Lifecycle): boolean;
}

/** How results, their handlers and their events are found again. */
export interface OutcomeReader {
  sourceAt(number: number): ResultSource;
  /** An event by the id under which it crossed. */
  find(id: string): BaseEvent | undefined;
  classOf(type: string): EventConstructor | undefined;
  /** What stands for a result that this side has already; null if it has none of that handler. */
  local(lifecycle: Lifecycle, handlerId: string): readonly EventResult[] | null;
}

/** What became of an event here: the given results, with all that their handlers dispatched. */
export function encodeOutcome(
  event: BaseEvent,
  results: readonly EventResult[],
  writer: OutcomeWriter,
  refused: Error | null = null,
): WireOutcome {
  const { startedAt, completedAt } = lifecycleOf(event);
  return [
    encodePath(event),
    toWire(startedAt),
    toWire(completedAt),
    results.map((result) => encodeResult(result as Result, writer)),
    refused === null ? null : encodeThrown(refused),
  ];
}

/** Its value or error says all about the result, its handler and two times aside. */
export function isPlain(result: EventResult): boolean {
  return (
    result.settled &&
    result.children.length === 0 &&
    result.timeout === (result.lifecycle.event as BaseEvent).event_timeout &&
    knownIdOf(result) === null &&
    !((result as Result).result instanceof BaseEvent)
  );
}

/** The other side's only result of an event, of which `isPlain` was true there. */
export function restorePlain(
  event: BaseEvent,
  source: ResultSource,
  code: number,
  startedAt: Moment,
  completedAt: Moment,
  outcome: unknown,
): EventResult {
  const result = new EventResult(lifecycleOf(event), source, event.event_timeout);
  restore(result, null, code, startedAt, completedAt, outcome);
  return result;
}

/** The results as they are on this side, with their events. */
export function decodeResults(event: BaseEvent, [, , , results]: WireOutcome, reader: OutcomeReader): EventResult[] {
  const lifecycle = lifecycleOf(event);
  const decoded: EventResult[] = [];
  for (const result of results) {
    const source = reader.sourceAt(result[0]);
    const local = reader.local(lifecycle, source.handlerId);
    if (local === null) decoded.push(decodeResult(event, lifecycle, source, result, reader));
    else decoded.push(...local);
  }
  return decoded;
}

/** The same outcome with `replace` in place of each result. */
export function mapResults(outcome: WireOutcome, replace: (result: WireResult) => WireResult): WireOutcome {
  const mapChild = (child: WireChild): WireChild =>
    typeof child === 'string' ? child : [child[0], mapResults(child[1], replace)];
  const [path, startedAt, completedAt, results, refused] = outcome;
  const mapped = results.map((result): WireResult => {
    const [source, id, timeout, status, value, from, to, children] = replace(result);
    return [source, id, timeout, status, value, from, to, children?.map(mapChild) ?? null];
  });
  return [path, startedAt, completedAt, mapped, refused];
}

/** Status and outcome of a result as they travel. */
export function encodeEnd(result: EventResult): readonly [code: number, outcome: unknown] {
  const { status, result: value, error } = result as Result;
  if (status === 'error') return [wire.FAILED, encodeThrown(error)];
  if (status === 'started') return [wire.STARTED, undefined];
  if (status === 'pending') return [wire.PENDING, undefined];
  return value instanceof BaseEvent ? [wire.RETURNED_EVENT, value.event_id] : [wire.COMPLETED, value];
}

function encodeResult(result: Result, writer: OutcomeWriter): WireResult {
  const { children } = result;
  return [
    writer.numberOf(sourceOf(result)),
    knownIdOf(result),
    result.timeout,
    ...encodeEnd(result),
    toWire(startedAtOf(result)),
    toWire(completedAtOf(result)),
    children.length === 0 ? null : children.map((child) => encodeChild(child, writer)),
  ];
}

function encodeChild(child: Lifecycle, writer: OutcomeWriter): WireChild {
  const event = child.event as BaseEvent;
  if (writer.brought(child)) return event.event_id;
  return [encodeEvent(event), encodeOutcome(event, child.results as readonly EventResult[], writer)];
}

function decodeResult(
  event: BaseEvent,
  lifecycle: Lifecycle,
  source: ResultSource,
  [, id, timeout, code, outcome, startedAt, completedAt, wireChildren]: WireResult,
  reader: OutcomeReader,
): EventResult {
  const result = new EventResult(lifecycle, source, timeout);
  for (const wireChild of wireChildren ?? []) {
    const child = decodeChild(wireChild, reader);
    if (child !== undefined) addChild(result, lifecycleOf(child));
  }
  const value = code === wire.RETURNED_EVENT ? returnedEvent(event, result, outcome as string) : outcome;
  restore(result, id, code, fromWire(startedAt), fromWire(completedAt), value);
  return result;
}

function restore(
  result: EventResult,
  id: string | null,
  code: number,
  startedAt: Moment,
  completedAt: Moment,
  outcome: unknown,
): void {
  const status = statuses[code] ?? 'pending';
  const failed = status === 'error';
  const error = failed ? decodeThrown(outcome as wire.WireValue) : null;
  resultRestored(result, id, { status, value: failed ? null : outcome, error, startedAt, completedAt });
}

const statuses = {
  [wire.PENDING]: 'pending',
  [wire.STARTED]: 'started',
  [wire.COMPLETED]: 'completed',
  [wire.RETURNED_EVENT]: 'completed',
  [wire.FAILED]: 'error',
} as Readonly<Record<number, 'pending' | 'started' | 'completed' | 'error'>>;

function returnedEvent(event: BaseEvent, result: EventResult, id: string): object | null {
  if (event.event_id === id) return event;
  return result.event_children.find((child) => (child as BaseEvent).event_id === id) ?? null;
}

/** A child that came here by itself, forwarded, is the same object; what became of it elsewhere is added to it. */
function decodeChild(child: WireChild, reader: OutcomeReader): BaseEvent | undefined {
  if (typeof child === 'string') return reader.find(child);
  const [wireEvent, outcome] = child;
  const known = reader.find(wireEvent[2]);
  const event = known ?? decodeEvent(wireEvent, reader.classOf(wireEvent[0]));
  const lifecycle = lifecycleOf(event);
  if (known !== undefined && !lifecycle.settled) return known;
  const [path, startedAt, completedAt, wireResults] = outcome;
  const results = [...(lifecycle.results as readonly EventResult[])];
  const own = new Set(results.map(({ handler_id }) => handler_id));
  for (const result of wireResults) {
    const source = reader.sourceAt(result[0]);
    if (!own.has(source.handlerId)) results.push(decodeResult(event, lifecycle, source, result, reader));
  }
  mergePath(event, path);
  lifecycle.restore(fromWire(startedAt), fromWire(completedAt), results);
  return event;
}
