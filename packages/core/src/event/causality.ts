import { types } from 'node:util';
import { BaseEvent, pathOf, setParent } from './base-event.ts';
import type { BusIdentity } from './bus-names.ts';
import { activeHandler } from './context.ts';
import { describe } from '../basics/describe.ts';
import { Dispatch, type Dispatchable } from './dispatch.ts';
import { EventStateError } from '../basics/errors.ts';
import { addChild, type EventResult } from './event-result.ts';
import { placeOf } from './completion.ts';
import { lifecycleOf } from './result-helpers.ts';

/** The error for a dispatch of something that is no event. */
export function noEventError(bus: BusIdentity, value: unknown): TypeError {
  return new TypeError(
    `${bus.name}.dispatch expected an event, such as new UserCreated({ … }); got ${describe(value)}.${instanceHint(value)}`,
  );
}

function instanceHint(value: unknown): string {
  if (typeof value === 'function') {
    return value.prototype instanceof BaseEvent
      ? ` That is the class: make an event of it, new ${value.name}({ … }).`
      : '';
  }
  if (value instanceof Dispatch) return ' That is what dispatch has returned: await it for the event.';
  if (types.isPromise(value)) return ' Is an await missing?';
  if (value === null || (typeof value !== 'object' && typeof value !== 'string')) return '';
  return " Without a class of its own it is new BaseEvent({ … }, { event_type: 'UserCreated' }).";
}

/** The bus is in the event's path: it had the event, in this thread or before the event came here as JSON. */
export function passed(event: BaseEvent, bus: Readonly<BusIdentity>): boolean {
  for (const { id, name } of pathOf(event)) if (id === null ? name === bus.name : id === bus.id) return true;
  return false;
}

/**
 * A bus skips an event that it had before: whoever dispatched it follows what is under way elsewhere.
 *
 * @throws EventStateError if nothing is under way anywhere, so that nothing would ever complete it
 */
export function skip<E extends BaseEvent & Dispatchable>(event: E, bus: Readonly<BusIdentity>): Dispatch<E> {
  const lifecycle = lifecycleOf(event);
  if (lifecycle.sequence > 0) return new Dispatch(event);
  throw new EventStateError(
    `${event.event_type}#${event.event_id.slice(-4)} has ${bus.name} in its event_path already (${event.event_path.join(' > ')}), so ${bus.name} skips it, and it is on no other bus here. Dispatch a copy: ${bus.name}.dispatch(event.eventReset()).`,
    placeOf(lifecycle),
  );
}

/**
 * Enters an event at its first dispatch: inside a handler it becomes a child of the handler's event.
 *
 * @returns whether this was its first
 */
export function enterTree(event: BaseEvent, detached: boolean): boolean {
  const lifecycle = lifecycleOf(event);
  if (lifecycle.sequence > 0) return false;
  const parent = detached ? undefined : activeHandler.getStore()?.runner;
  lifecycle.dispatched(parent ?? null);
  if (parent === undefined) return true;
  setParent(event, (parent.lifecycle.event as BaseEvent).event_id);
  if (lifecycle.parent !== null) addChild(parent as EventResult, lifecycle);
  return true;
}
