import { BaseEvent, createdAtOf } from '../event/base-event.ts';
import { elapsedSince } from '../basics/elapsed.ts';
import type { BusEngine } from './bus-engine.ts';
import { describe } from '../basics/describe.ts';
import { checkWait } from '../basics/duration.ts';
import type { Lifecycle } from '../event/lifecycle.ts';
import { checkFilter, checkOptions, checkSignal, passes } from '../basics/options.ts';
import { lifecycleOf } from '../event/result-helpers.ts';
import { matchesType } from '../event/type-pattern.ts';

/** Options of `find`. */
export interface FindOptions<E extends BaseEvent = BaseEvent> {
  /** Look through the history: all of it, or events created within so many seconds. @default true */
  readonly past?: boolean | number | undefined;
  /** Then wait for one to be dispatched: without limit, or for so many seconds. @default false */
  readonly future?: boolean | number | undefined;
  /** Only events that descend from this one, through any number of handlers. @default all */
  readonly childOf?: BaseEvent | undefined;
  /** Only events for which it returns true. @default all */
  readonly where?: ((event: E) => boolean) | undefined;
  /** Ends the wait with the signal's reason. @default none */
  readonly signal?: AbortSignal | undefined;
}

/** Looks through the bus's history, then waits if `future` says so; null if there is none. */
export async function findEvent(engine: BusEngine, key: string, options: FindOptions): Promise<BaseEvent | null> {
  checkOptions('find', options, ['past', 'future', 'childOf', 'where', 'signal']);
  const { past = true, future = false, childOf, where, signal } = options;
  checkFilter('where', where);
  checkSignal(signal);
  checkAncestor(childOf);
  const { expectations } = engine;
  const oldest = typeof past === 'boolean' ? null : checkWait('past (seconds)', past);
  const timeout = typeof future === 'boolean' ? null : checkWait('future (seconds)', future);
  const matches = matcherOf(engine, key, { childOf, where });
  signal?.throwIfAborted();
  const found = past === false ? null : firstOf(pastEvents(engine, oldest, matches));
  if (found !== null || future === false) return found;
  if (engine.stopped) throw engine.stoppedError();
  const notFound = new Error('not found');
  try {
    return await expectations.add({ pattern: key, matches, timeout, signal, onTimeout: () => notFound });
  } catch (error) {
    if (error === notFound) return null;
    throw error;
  }
}

/** What a pattern and the filters say of an event. */
export function matcherOf(
  { history }: BusEngine,
  key: string,
  { childOf, where }: Pick<FindOptions, 'childOf' | 'where'>,
): (event: BaseEvent) => boolean {
  return (event) =>
    matchesType(key, event.event_type) &&
    (childOf === undefined || descendsFrom(event, childOf, history)) &&
    passes('where', where, event);
}

/** The events that match, the newest first, of those created in the last so many seconds; null = ever. */
export function* pastEvents(
  { history }: BusEngine,
  seconds: number | null,
  matches: (event: BaseEvent) => boolean,
): Iterable<BaseEvent> {
  for (const event of history.newestFirst()) {
    if ((seconds === null || elapsedSince(createdAtOf(event)) <= seconds * 1000) && matches(event)) yield event;
  }
}

function firstOf(events: Iterable<BaseEvent>): BaseEvent | null {
  for (const event of events) return event;
  return null;
}

/** @throws TypeError */
export function checkAncestor(childOf: unknown): void {
  if (childOf === undefined || childOf instanceof BaseEvent) return;
  throw new TypeError(`Expected childOf to be an event; got ${describe(childOf)}.`);
}

/** `event` descends from `ancestor`: by the ids of parents as far as events are remembered, or as handlers know it. */
function descendsFrom(event: BaseEvent, ancestor: BaseEvent, history: ReadonlyMap<string, BaseEvent>): boolean {
  return climbsTo(event, ancestor, history) || dispatchedBelow(ancestor, event);
}

function climbsTo(event: BaseEvent, ancestor: BaseEvent, history: ReadonlyMap<string, BaseEvent>): boolean {
  const seen = new Set<BaseEvent>();
  let below: BaseEvent | undefined = event;
  while (below !== undefined && !seen.has(below)) {
    seen.add(below);
    const { event_parent_id }: BaseEvent = below;
    if (event_parent_id === null) return false;
    if (event_parent_id === ancestor.event_id) return true;
    below = history.get(event_parent_id) ?? (lifecycleOf(below).parent?.lifecycle.event as BaseEvent | undefined);
  }
  return false;
}

function dispatchedBelow(ancestor: BaseEvent, event: BaseEvent): boolean {
  const below = new Set<Lifecycle>([lifecycleOf(ancestor)]);
  for (const lifecycle of below) {
    for (const runner of lifecycle.results) {
      for (const child of runner.children) {
        if (child.event === event) return true;
        below.add(child);
      }
    }
  }
  return false;
}
