import {
  addChild,
  BaseEvent,
  completedAtOf,
  type EventConstructor,
  EventResult,
  fromWire,
  knownIdOf,
  type Lifecycle,
  lifecycleOf,
  type Moment,
  resultRestored,
  type ResultSource,
  sourceOf,
  startedAtOf,
  type ThreadPlace,
  toWire,
} from '@threadbus/core/internal';
import { unclonableValue } from './clone-failure.ts';
import { decodeThrown, encodeThrown } from './error-codec.ts';
import { decodeEvent, encodePath, encodeSafely, mergePath } from './event-codec.ts';
import { isEvent } from './frame-check.ts';
import { malformed } from './malformed.ts';
import { isNestedDeeper } from './nesting.ts';
import * as wire from './protocol.ts';
import type { Origin } from './source-table.ts';
import type { WireEvent, WireOutcome, WirePart, WireResult } from './protocol.ts';

type Result = EventResult<unknown, BaseEvent>;

/** What encoding needs of the link. */
export interface OutcomeWriter {
  numberOf(result: EventResult): number;
  /** A value is in the outcome, and takes along what is to move with it. */
  takes(value: unknown): void;
}

/** How results, their handlers and their events are found again. */
export interface OutcomeReader {
  originAt(number: number): Origin;
  /** An event by the id under which it crossed. */
  find(id: string): BaseEvent | undefined;
  classOf(type: string): EventConstructor | undefined;
  /**
   * What stands for a result that this side has already of the settling event; null if it has none of that handler.
   *
   * @param told how many results of a bus are told of
   */
  local(source: ResultSource, told: (busId: string) => number): readonly EventResult[] | null;
}

/** Gives an event that is told of with another its place among those. */
interface DescendantWriter {
  child(child: Lifecycle): number;
  /** One that some handler has returned: there once, however many have. */
  other(event: BaseEvent): number;
}

/** What became of an event here: the given results, with all that their handlers dispatched. */
export function encodeOutcome(
  event: BaseEvent,
  results: readonly EventResult[],
  writer: OutcomeWriter,
  refused: Error | null = null,
): WireOutcome {
  const children: BaseEvent[] = [];
  // Also one that came from the other side: that may have forgotten it by now, and needs it in its place.
  const encode: DescendantWriter = {
    child: (child) => children.push(child.event as BaseEvent) - 1,
    other: (other) => {
      const at = children.indexOf(other);
      return at < 0 ? children.push(other) - 1 : at;
    },
  };
  const own = encodePart(event, results, writer, encode);
  const descendants: [wire.WireEvent, WirePart][] = [];
  // It grows on the way.
  for (const child of children) {
    const part = encodePart(child, lifecycleOf(child).results as readonly EventResult[], writer, encode);
    descendants.push([encodeSafely(child), part]);
  }
  return [refused === null ? null : encodeThrown(refused), own, descendants];
}

function encodePart(
  event: BaseEvent,
  results: readonly EventResult[],
  writer: OutcomeWriter,
  encode: DescendantWriter,
): WirePart {
  const { startedAt, completedAt } = lifecycleOf(event);
  const rows = results.map((result) => encodeResult(result as Result, writer, encode));
  return [encodePath(event), toWire(startedAt), toWire(completedAt), rows];
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
  { source, place }: Origin,
  code: number,
  startedAt: Moment,
  completedAt: Moment,
  outcome: unknown,
): EventResult {
  const result = new EventResult(lifecycleOf(event), source, event.event_timeout);
  restore(result, null, code, startedAt, completedAt, outcome, place);
  return result;
}

/** The results as they are on this side, with their events. */
export function decodeResults(event: BaseEvent, outcome: WireOutcome, reader: OutcomeReader): EventResult[] {
  const lifecycle = lifecycleOf(event);
  const childAt = decodeDescendants(outcome, reader);
  const decoded: EventResult[] = [];
  const [, [, , , results]] = outcome;
  const told = (busId: string): number =>
    results.filter(([source]) => reader.originAt(source).source.busId === busId).length;
  for (const result of results) {
    const origin = reader.originAt(result[0]);
    const local = reader.local(origin.source, told);
    if (local === null) decoded.push(decodeResult(event, lifecycle, origin, result, childAt, reader));
    else decoded.push(...local);
  }
  return decoded;
}

/** A handler's child, by its place among the descendants. */
type ChildAt = (place: number) => BaseEvent | undefined;

/** In the order in which they were dispatched; what came here and is not complete stays as it is, with all below it. */
function decodeDescendants([, , descendants]: WireOutcome, reader: OutcomeReader): ChildAt {
  const events: BaseEvent[] = [];
  const childAt: ChildAt = (place) => events[place];
  const told: number[] = [];
  const needless = new Set<number>();
  for (const [at, [wireEvent, part]] of descendants.entries()) {
    const known = needless.has(at) ? undefined : reader.find(wireEvent[2]);
    if (needless.has(at) || (known !== undefined && !lifecycleOf(known).settled)) {
      for (const child of placesIn(part)) needless.add(child);
    } else {
      told.push(at);
    }
    if (!needless.has(at)) events[at] = known ?? decodeEvent(wireEvent, reader.classOf(wireEvent[0]));
  }
  for (const at of told) {
    const event = events[at];
    const descendant = descendants[at];
    if (event !== undefined && descendant !== undefined) restorePart(event, descendant[1], childAt, reader);
  }
  return childAt;
}

/** Places of the children that the outcome tells of itself. */
function placesIn([, , , results]: WirePart): number[] {
  return results.flatMap(([, , , , , , , children]) => children ?? []);
}

/**
 * An event that a handler has returned: one of those that the outcome tells of anyway by its id; any other by its place
 * among them if it is complete, else as it is. The other side may know it, and then it is that one.
 */
function encodeReturned(
  returned: BaseEvent,
  { lifecycle, children }: Result,
  encode: DescendantWriter,
): string | number | WireEvent {
  const own = lifecycleOf(returned);
  if (own === lifecycle || children.includes(own)) return returned.event_id;
  return own.settled ? encode.other(returned) : encodeSafely(returned);
}

/** Status and outcome of a result as they travel; an error for a value that is nested too deep to. */
export function encodeEnd(result: EventResult): readonly [code: number, outcome: unknown] {
  const { status, result: value, error } = result as Result;
  if (status === 'error') return [wire.FAILED, encodeThrown(error)];
  if (status === 'started') return [wire.STARTED, undefined];
  if (status === 'pending') return [wire.PENDING, undefined];
  if (value instanceof BaseEvent) return [wire.RETURNED_EVENT, value.event_id];
  if (isNestedDeeper(value)) return [wire.FAILED, unclonableValue(value, sourceOf(result))];
  return [wire.COMPLETED, value];
}

function encodeResult(result: Result, writer: OutcomeWriter, encode: DescendantWriter): WireResult {
  const { children, result: value } = result;
  const [code, outcome] = encodeEnd(result);
  writer.takes(outcome);
  const places = children.length === 0 ? null : children.map((child) => encode.child(child));
  return [
    writer.numberOf(result),
    knownIdOf(result),
    result.timeout,
    code,
    code === wire.RETURNED_EVENT ? encodeReturned(value as BaseEvent, result, encode) : outcome,
    toWire(startedAtOf(result)),
    toWire(completedAtOf(result)),
    places,
  ];
}

function decodeResult(
  event: BaseEvent,
  lifecycle: Lifecycle,
  { source, place }: Origin,
  [, id, timeout, code, outcome, startedAt, completedAt, children]: WireResult,
  childAt: ChildAt,
  reader: OutcomeReader,
): EventResult {
  const result = new EventResult(lifecycle, source, timeout);
  for (const at of children ?? []) {
    const child = childAt(at);
    if (child !== undefined) addChild(result, lifecycleOf(child));
  }
  const value = code === wire.RETURNED_EVENT ? returnedEvent(event, result, outcome, childAt, reader) : outcome;
  restore(result, id, code, fromWire(startedAt), fromWire(completedAt), value, place);
  return result;
}

function restore(
  result: EventResult,
  id: string | null,
  code: number,
  startedAt: Moment,
  completedAt: Moment,
  outcome: unknown,
  ranIn: ThreadPlace | null,
): void {
  const status = statuses[code] ?? 'pending';
  const failed = status === 'error';
  const error = failed ? decodeThrown(outcome) : null;
  resultRestored(result, id, { status, value: failed ? null : outcome, error, startedAt, completedAt, ranIn });
}

const statuses = {
  [wire.PENDING]: 'pending',
  [wire.STARTED]: 'started',
  [wire.COMPLETED]: 'completed',
  [wire.RETURNED_EVENT]: 'completed',
  [wire.FAILED]: 'error',
} as Readonly<Record<number, 'pending' | 'started' | 'completed' | 'error'>>;

function returnedEvent(
  event: BaseEvent,
  result: EventResult,
  outcome: unknown,
  childAt: ChildAt,
  reader: OutcomeReader,
): object | null {
  if (typeof outcome === 'string') {
    if (event.event_id === outcome) return event;
    const child = result.event_children.find((each) => (each as BaseEvent).event_id === outcome);
    return child ?? reader.find(outcome) ?? null;
  }
  if (isEvent(outcome)) return reader.find(outcome[2]) ?? decodeEvent(outcome, reader.classOf(outcome[0]));
  return childAt(outcome as number) ?? malformed('an event that was returned');
}

/** An event that came here by itself, forwarded, is the same object; what became of it elsewhere is added to it. */
function restorePart(
  event: BaseEvent,
  [path, startedAt, completedAt, wireResults]: WirePart,
  childAt: ChildAt,
  reader: OutcomeReader,
): void {
  const lifecycle = lifecycleOf(event);
  const own = new Map((lifecycle.results as readonly EventResult[]).map((result) => [result.handler_id, result]));
  const results: EventResult[] = [];
  // In the order of the other side, which had the event before this one: what is the first value depends on it.
  for (const result of wireResults) {
    const origin = reader.originAt(result[0]);
    const { handlerId } = origin.source;
    results.push(own.get(handlerId) ?? decodeResult(event, lifecycle, origin, result, childAt, reader));
    own.delete(handlerId);
  }
  results.push(...own.values());
  mergePath(event, path);
  lifecycle.restore(fromWire(startedAt), fromWire(completedAt), results);
}
