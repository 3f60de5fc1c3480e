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
import type { EventKind } from './kind-table.ts';
import type { WireEvent, WirePath } from './protocol.ts';

/** An event that travels within another operation, with the path that it has come so far. */
export function encodeEvent(event: BaseEvent): WireEvent {
  return [
    event.event_type,
    event.event_schema,
    event.event_id,
    event.event_parent_id,
    encodePath(event),
    event.event_timeout,
    createdAtOf(event),
    payloadOf(event),
  ];
}

export function decodeEvent(wire: WireEvent, Class: EventConstructor | undefined): BaseEvent {
  const [type, schema, id, parentId, path, timeout, createdAt, payload] = wire;
  const event = restoreEvent({ type, schema, timeout }, id, parentId, createdAt, payload, Class);
  mergePath(event, path);
  return event;
}

/** The event on this side: of the class that is registered for its type, without validating it again. */
export function restoreEvent(
  { type, schema, timeout }: EventKind,
  id: string,
  parentId: string | null,
  createdAt: number,
  payload: object,
  Class: EventConstructor | undefined,
): BaseEvent {
  const EventClass = (Class ?? BaseEvent) as typeof BaseEvent;
  return new EventClass(new TrustedPayload(payload), new TrustedFields(type, schema, id, parentId, timeout, createdAt));
}

/** Without the step to `except`; null if nothing is left. */
export function encodePath(event: BaseEvent, except: string | null = null): WirePath | null {
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
