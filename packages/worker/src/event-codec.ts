import { BaseEvent } from '@threadbus/core';
import {
  createdAtOf,
  type EventConstructor,
  pathOf,
  payloadOf,
  setPath,
  TrustedFields,
  TrustedPayload,
} from '@threadbus/core/internal';
import type { WireEvent, WirePath } from './protocol.ts';

/** An event as it is sent, with the path that it has come so far: without `to`, the bus that it is sent to. */
export function encodeEvent(
  event: BaseEvent,
  context: Record<string, unknown> | null,
  to: string | null = null,
): WireEvent {
  return [
    event.event_type,
    event.event_schema,
    event.event_id,
    event.event_parent_id,
    encodePath(event, to),
    event.event_timeout,
    createdAtOf(event),
    payloadOf(event),
    context,
  ];
}

/** The event on this side: of the class that is registered for its type, without validating it again. */
export function decodeEvent(wire: WireEvent, Class: EventConstructor | undefined): BaseEvent {
  const [type, schema, id, parentId, path, timeout, createdAt, payload] = wire;
  const EventClass = (Class ?? BaseEvent) as typeof BaseEvent;
  const fields = new TrustedFields(type, schema, id, parentId, timeout, createdAt);
  const event = new EventClass(new TrustedPayload(payload), fields);
  mergePath(event, path);
  return event;
}

/** Without the step to `except`; null if nothing is left. */
export function encodePath(event: BaseEvent, except: string | null): WirePath | null {
  let wire: (string | null)[] | null = null;
  for (const { id, name } of pathOf(event)) {
    if (except !== null && id === except) continue;
    if (wire === null) wire = [name, id];
    else wire.push(name, id);
  }
  return wire;
}

/** Adds to the event's path what it has come elsewhere. */
export function mergePath(event: BaseEvent, wire: WirePath | null): void {
  if (wire === null) return;
  const path = [...pathOf(event)];
  for (let at = 0; at < wire.length; at += 2) {
    const name = wire[at] as string;
    const stepId = wire[at + 1] ?? null;
    if (!path.some((step) => (step.id === null ? step.name === name : step.id === stepId))) {
      path.push({ id: stepId, name });
    }
  }
  setPath(event, path);
}
