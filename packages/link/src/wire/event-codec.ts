import {
  BaseEvent,
  createdAtOf,
  type EventConstructor,
  fromEpoch,
  type IdOrigin,
  idOriginOf,
  type Moment,
  orderOf,
  ownIds,
  pathOf,
  type PathStep,
  payloadOf,
  setPath,
  statedTimeoutOf,
  toEpoch,
  TrustedFields,
  TrustedPayload,
  type TrustedValues,
} from '@threadbus/core/internal';
import { ownEntries } from './clone-path.ts';
import type { EventKind } from './kind-table.ts';
import { isNestedDeeper } from './nesting.ts';
import { RestoreError, unrestored } from './restore-error.ts';
import { shownName } from './shown-names.ts';
import type { WireEvent, WirePath } from './protocol.ts';

/** An event that travels within another operation, with the path that it has come so far. */
export function encodeEvent(event: BaseEvent, payload: object = payloadOf(event)): WireEvent {
  return [
    event.event_type,
    event.event_schema,
    event.event_id,
    event.event_parent_id,
    encodePath(event),
    statedTimeoutOf(event),
    toEpoch(createdAtOf(event)),
    payload,
  ];
}

/** The same without the fields that are nested too deep to travel: for an event that is told of with another. */
export function encodeSafely(event: BaseEvent): WireEvent {
  const payload = payloadOf(event);
  return encodeEvent(event, isNestedDeeper(payload) ? without(payload, isNestedDeeper) : payload);
}

/** A payload without the fields of which that is true. */
export function without(payload: object, isBad: (value: unknown) => boolean): object {
  return Object.fromEntries(ownEntries(payload).filter(([, value]) => !isBad(value)));
}

export function decodeEvent(wire: WireEvent, Class: EventConstructor | undefined): BaseEvent {
  const [type, schema, id, parentId, path, timeout, createdAt, payload] = wire;
  const kind = { type, schema, timeout };
  const event = orPlain(() =>
    restoreEvent(kind, id, ownIds, parentId, fromEpoch(createdAt), new TrustedPayload(payload), Class),
  );
  mergePath(event, path);
  return event;
}

/** Whoever only looks at an event needs no instance of its class. */
function orPlain(restore: () => BaseEvent): BaseEvent {
  try {
    return restore();
  } catch (error) {
    return unrestored(error)[0];
  }
}

/** An event's id as it travels: its order in this thread, if it was made here. */
export function encodeId(event: BaseEvent): string | number {
  const order = orderOf(event);
  return order > 0 && idOriginOf(event) === ownIds ? order : event.event_id;
}

/**
 * The event on this side: of the class that is registered for its type, without validating it again.
 * @param idOrigin where the id counts, if it is a number
 * @throws RestoreError if the class can't take it
 */
export function restoreEvent(
  kind: EventKind,
  id: string | number,
  idOrigin: IdOrigin,
  parentId: string | null,
  createdAt: Moment,
  payload: TrustedPayload | TrustedValues,
  Class: EventConstructor | undefined,
): BaseEvent {
  const fields =
    typeof id === 'number'
      ? new TrustedFields(kind, null, id, idOrigin, parentId, createdAt)
      : new TrustedFields(kind, id, -1, idOrigin, parentId, createdAt);
  if (Class === undefined) return new BaseEvent(payload, fields);
  let cause: unknown;
  try {
    const event = new (Class as typeof BaseEvent)(payload, fields);
    if (typeof id === 'number' ? orderOf(event) === id : event.event_id === id) return event;
    cause = new TypeError('its constructor made another event.');
  } catch (error) {
    cause = error;
  }
  throw new RestoreError(new BaseEvent(payload, fields), Class, cause);
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
  const steps: PathStep[] = [];
  for (let at = 0; at < wire.length; at += 2) {
    const id = wire[at + 1] ?? null;
    steps.push({ id, name: shownName(id, wire[at] as string) });
  }
  mergeSteps(event, steps);
}

/** Adds those that the event's path has not. */
export function mergeSteps(event: BaseEvent, steps: readonly PathStep[]): void {
  const path = pathOf(event);
  const merged = mergedPath(path, steps);
  if (merged.length > path.length) setPath(event, merged);
}

/** A path, and behind it those of the steps that it has not. */
export function mergedPath(path: readonly PathStep[], steps: readonly PathStep[]): readonly PathStep[] {
  const merged = [...path];
  for (const step of steps) {
    if (!merged.some(({ id, name }) => (id === null ? name === step.name : id === step.id))) merged.push(step);
  }
  return merged;
}
