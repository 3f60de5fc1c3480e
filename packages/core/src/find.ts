import type { BaseEvent } from './base-event.ts';
import { checkWait } from './duration.ts';
import type { Lifecycle } from './lifecycle.ts';
import { lifecycleOf } from './result-helpers.ts';

/** Options of `find`. */
export interface FindOptions<E extends BaseEvent = BaseEvent> {
  /** Look through the history: all of it, or events created within so many seconds. @default true */
  readonly past?: boolean | number | undefined;
  /** Then wait for one to be dispatched: without limit, or for so many seconds. @default false */
  readonly future?: boolean | number | undefined;
  /** Only events that descend from this one, through any number of handlers. */
  readonly childOf?: BaseEvent | undefined;
  /** Only events for which it returns true. */
  readonly where?: ((event: E) => boolean) | undefined;
  /** Ends the wait with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The newest event that matches, of those created in the last `past` seconds. */
export function findPast(
  history: ReadonlyMap<string, BaseEvent>,
  past: boolean | number,
  matches: (event: BaseEvent) => boolean,
): BaseEvent | null {
  if (past === false) return null;
  const oldest = past === true ? 0 : Date.now() - (checkWait('past (seconds)', past) ?? Infinity) * 1000;
  for (const event of [...history.values()].reverse()) {
    if (Date.parse(event.event_created_at) >= oldest && matches(event)) return event;
  }
  return null;
}

/** `event` descends from `ancestor`: as its handlers' events know it, or as the events' own parents say. */
export function descendsFrom(event: BaseEvent, ancestor: BaseEvent): boolean {
  if (event.event_parent_id === ancestor.event_id) return true;
  const top = lifecycleOf(ancestor);
  const seen = new Set<Lifecycle>();
  for (let parent = lifecycleOf(event).parent; parent !== null; parent = parent.lifecycle.parent) {
    if (parent.lifecycle === top) return true;
  }
  const below = [top];
  for (const lifecycle of below) {
    if (seen.has(lifecycle)) continue;
    seen.add(lifecycle);
    for (const runner of lifecycle.results) {
      if (runner.children.some((child) => child.event === event)) return true;
      below.push(...runner.children);
    }
  }
  return false;
}
