import { BaseEvent, type EventResult } from '@threadbus/core';
import { lifecycleOf } from '@threadbus/core/internal';

/** All that became of an event and of what its handlers dispatched, without order where there is none. */
export function describeEvent(event: BaseEvent): string {
  // As the helpers read them: one that is there twice shows here alone.
  const all = lifecycleOf(event).results as readonly EventResult<unknown, BaseEvent>[];
  const results = all.map((result) => {
    const { status, result: value, error } = result;
    const outcome =
      status === 'error'
        ? `${(error as Error).name} ${(error as Error).message}`
        : value instanceof BaseEvent
          ? value.event_type
          : String(value);
    const children = result.event_children.map((child) => describeEvent(child)).sort();
    const name = result.handler_name.replace(/^P\d+[xy]/, 'P');
    return `${result.eventbus_name.slice(-1)}.${name} ${status} ${outcome} [${children.join(' ')}]`;
  });
  const path = event.event_path.map((name) => name.slice(-1)).sort();
  return `${event.event_type} ${event.event_status} ${path.join('')} {${results.sort().join('; ')}}`;
}
