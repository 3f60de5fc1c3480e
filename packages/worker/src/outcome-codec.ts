import { BaseEvent, EventResult } from '@threadbus/core';
import {
  addChild,
  lifecycleOf,
  resultRestored,
  type EventConstructor,
  type Lifecycle,
  pathOf,
} from '@threadbus/core/internal';
import { decodeThrown, encodeThrown } from './error-codec.ts';
import { decodeEvent, encodeEvent, mergePath } from './event-codec.ts';
import type { WireChild, WireOutcome, WireResult } from './protocol.ts';

/** Whether the event came here from the other side, over this link: it has all of it then. */
export type FromThere = (lifecycle: Lifecycle) => boolean;

/** How results' events are found again. */
export interface OutcomeContext {
  /** An event by the id under which it crossed. */
  find(id: string): BaseEvent | undefined;
  classOf(type: string): EventConstructor | undefined;
  /** What stands for a result that this side has already; null if it has none of that id. */
  local(lifecycle: Lifecycle, resultId: string): readonly EventResult[] | null;
}

/** What became of an event here: the given results, with all that their handlers dispatched. */
export function encodeOutcome(
  event: BaseEvent,
  results: readonly EventResult<unknown, BaseEvent>[],
  fromThere: FromThere,
): WireOutcome {
  const { startedAt, completedAt } = lifecycleOf(event);
  const path = pathOf(event);
  return {
    pathNames: path.map(({ name }) => name),
    pathIds: path.map(({ id }) => id),
    startedAt,
    completedAt,
    results: results.map((result) => encodeResult(result, fromThere)),
  };
}

/** The results as they are on this side, with their events. */
export function decodeResults(event: BaseEvent, outcome: WireOutcome, context: OutcomeContext): EventResult[] {
  return outcome.results.flatMap((wire) => {
    return context.local(lifecycleOf(event), wire.id) ?? [decodeResult(event, wire, context)];
  });
}

/** The same outcome without what can't be cloned: `replace` says what stands in for a value. */
export function mapValues(outcome: WireOutcome, replace: (result: WireResult) => WireResult): WireOutcome {
  const mapChild = (child: WireChild): WireChild =>
    'known' in child ? child : { ...child, outcome: mapValues(child.outcome, replace) };
  const results = outcome.results.map((result) => {
    const replaced = replace(result);
    return { ...replaced, children: replaced.children.map(mapChild) };
  });
  return { ...outcome, results };
}

function encodeResult(result: EventResult<unknown, BaseEvent>, fromThere: FromThere): WireResult {
  const { status, result: value } = result;
  return {
    id: result.id,
    handlerId: result.handler_id,
    handlerName: result.handler_name,
    busId: result.eventbus_id,
    busName: result.eventbus_name,
    timeout: result.timeout,
    status,
    ...(value instanceof BaseEvent ? { eventId: value.event_id } : { value }),
    ...(status === 'error' && { error: encodeThrown(result.error) }),
    startedAt: epoch(result.started_at),
    completedAt: epoch(result.completed_at),
    children: result.children.map((child) => encodeChild(child, fromThere)),
  };
}

function encodeChild(child: Lifecycle, fromThere: FromThere): WireChild {
  const event = child.event as BaseEvent;
  if (fromThere(child)) return { known: event.event_id };
  const results = child.results as readonly EventResult<unknown, BaseEvent>[];
  return { event: encodeEvent(event, null), outcome: encodeOutcome(event, results, fromThere) };
}

function decodeResult(event: BaseEvent, wire: WireResult, context: OutcomeContext): EventResult {
  const { handlerId, handlerName, busId, busName } = wire;
  const result = new EventResult(lifecycleOf(event), { handlerId, handlerName, busId, busName }, wire.timeout);
  const children = wire.children.map((child) => decodeChild(child, context)).filter((child) => child !== undefined);
  for (const child of children) addChild(result, lifecycleOf(child));
  const { eventId } = wire;
  const value = eventId === undefined ? wire.value : [event, ...children].find(({ event_id }) => event_id === eventId);
  resultRestored(result, wire.id, {
    status: wire.status,
    value: value ?? null,
    error: wire.error === undefined ? null : decodeThrown(wire.error),
    startedAt: wire.startedAt,
    completedAt: wire.completedAt,
  });
  return result;
}

/** A child that came here by itself, forwarded, is the same object; what became of it elsewhere is added to it. */
function decodeChild(wire: WireChild, context: OutcomeContext): BaseEvent | undefined {
  if ('known' in wire) return context.find(wire.known);
  const { event: wireEvent, outcome } = wire;
  const known = context.find(wireEvent[2]);
  const event = known ?? decodeEvent(wireEvent, context.classOf(wireEvent[0]));
  const lifecycle = lifecycleOf(event);
  if (known !== undefined && !lifecycle.settled) return known;
  const own = lifecycle.results as readonly EventResult[];
  const others = outcome.results.filter(({ id }) => !own.some((result) => result.id === id));
  const results = [...own, ...others.map((result) => decodeResult(event, result, context))];
  mergePath(event, outcome.pathNames, outcome.pathIds);
  lifecycle.restore(outcome.startedAt, outcome.completedAt, results);
  return event;
}

function epoch(time: string | null): number {
  return time === null ? 0 : Date.parse(time);
}
