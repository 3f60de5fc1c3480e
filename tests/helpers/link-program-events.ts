import { BaseEvent, type EventResult } from '@threadbus/core';
import { lifecycleOf } from '@threadbus/core/internal';

/**
 * All that became of an event and of what its handlers dispatched, without order where there is none: the results of one
 * bus stand in the order in which its handlers were registered, wherever these are.
 */
export function describeEvent(event: BaseEvent): string {
  // As the helpers read them: one that is there twice shows here alone.
  const all = lifecycleOf(event).results as readonly EventResult<unknown, BaseEvent>[];
  const byBus = new Map<string, string[]>();
  for (const result of all) {
    const { status, result: value, error } = result;
    const outcome =
      status === 'error'
        ? `${(error as Error).name} ${(error as Error).message}`
        : value instanceof BaseEvent
          ? value.event_type
          : String(value);
    const children = result.event_children.map((child) => describeEvent(child)).sort();
    const name = result.handler_name.replace(/^P\d+[xy]/, 'P');
    const bus = result.eventbus_name.slice(-1);
    byBus.set(bus, [...(byBus.get(bus) ?? []), `${bus}.${name} ${status} ${outcome} [${children.join(' ')}]`]);
  }
  const results = [...byBus.values()].map((ofBus) => ofBus.join('; ')).sort();
  const path = event.event_path.map((name) => name.slice(-1)).sort();
  return `${event.event_type} ${event.event_status} ${path.join('')} {${results.join('; ')}}`;
}
