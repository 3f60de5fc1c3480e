import { AwaitCycleError, type ErrorPlace } from '../basics/errors.ts';
import type { BaseEvent } from '../event/base-event.ts';

/** The error for a handler that awaits what can't complete before its own event. */
export function cycleError(
  { event, place }: { readonly event: BaseEvent; readonly place: ErrorPlace },
  awaited: BaseEvent,
): AwaitCycleError {
  const { busName, handlerName, eventType } = place;
  const own = awaited === event;
  const what = own ? 'its own event' : `${awaited.event_type}#${awaited.event_id.slice(-4)}`;
  const fix = own
    ? `To forward the event, register the other bus's dispatch (bus.on('*', other.dispatch)) or return the Dispatch without awaiting it: (event) => other.dispatch(event). An async function awaits what it returns: there, call other.dispatch(event) and don't return it.`
    : `Await an event that doesn't depend on ${eventType}, or dispatch it without awaiting it.`;
  return new AwaitCycleError(
    `${busName}.${handlerName} awaits ${what}, which can't complete before ${eventType}#${event.event_id.slice(-4)}, the event that it is handling, is done: that would wait for ever. ${fix}`,
    place,
  );
}
