import { BaseEvent } from '@threadbus/core';
import { type EventConstructor, type PathStep, pathOf, payloadOf, TrustedPayload } from '@threadbus/core/internal';
import type { WireEvent } from './protocol.ts';

/** An event as it is sent, with the path that it has come so far: without `to`, the bus that it is sent to. */
export function encodeEvent(
  event: BaseEvent,
  context: Record<string, unknown> | null,
  to: string | null = null,
): WireEvent {
  const path = to === null ? pathOf(event) : pathOf(event).filter(({ id }) => id !== to);
  return [
    event.event_type,
    event.event_schema,
    event.event_id,
    event.event_parent_id,
    path.map(({ name }) => name),
    path.map(({ id }) => id),
    event.event_timeout,
    event.event_created_at,
    payloadOf(event),
    context,
  ];
}

/** The event on this side: of the class that is registered for its type, without validating it again. */
export function decodeEvent(wire: WireEvent, Class: EventConstructor | undefined): BaseEvent {
  const [type, schema, id, parentId, pathNames, pathIds, timeout, createdAt, payload] = wire;
  const EventClass = (Class ?? BaseEvent) as typeof BaseEvent;
  const event = new EventClass(new TrustedPayload(payload), {
    event_type: type,
    event_schema: schema,
    event_id: id,
    event_parent_id: parentId,
    event_timeout: timeout,
    event_created_at: createdAt,
  });
  pathOf(event).push(...pathSteps(pathNames, pathIds));
  return event;
}

/** Adds to the event's path what it has come elsewhere. */
export function mergePath(event: BaseEvent, names: readonly string[], ids: readonly (string | null)[]): void {
  const path = pathOf(event);
  for (const step of pathSteps(names, ids)) {
    if (!path.some(({ id, name }) => (id === null ? name === step.name : id === step.id))) path.push(step);
  }
}

function pathSteps(names: readonly string[], ids: readonly (string | null)[]): PathStep[] {
  return names.map((name, i) => ({ id: ids[i] ?? null, name }));
}
