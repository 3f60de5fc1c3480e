import { FirstResultError } from '../basics/first-result-error.ts';
import type { EventResult } from './event-result.ts';

/** Why the other handlers of an event end that needs one result. */
export function firstResultError(result: EventResult): FirstResultError {
  const { event_type, event_id } = result.lifecycle.event as { event_type: string; event_id: string };
  return new FirstResultError(
    `${result.eventbus_name}.${result.handler_name} has answered ${event_type}#${event_id.slice(-4)}, which needs one result.`,
    {
      busName: result.eventbus_name,
      handlerName: result.handler_name,
      eventType: event_type,
      eventId: event_id,
    },
  );
}
