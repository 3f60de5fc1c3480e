import { serialize, deserialize } from 'node:v8';
import { BaseEvent, type EventConstructor, EventResult, UnserializableError } from '@threadbus/core';
import {
  addChild,
  completedAtOf,
  fromWire,
  lifecycleOf,
  now,
  resultRestored,
  type ResultSource,
  sourceOf,
  startedAtOf,
  toWire,
} from '@threadbus/core/internal';
import { decodeThrown, encodeThrown } from '@threadbus/link/internal';

type Thrown = Parameters<typeof decodeThrown>[0];

interface StoredResult {
  readonly source: ResultSource;
  readonly timeout: number | null;
  readonly startedAt: number;
  readonly completedAt: number;
  readonly value?: unknown;
  readonly thrown?: Thrown;
  readonly children: readonly StoredEvent[];
}

interface StoredEvent {
  readonly json: string;
  readonly startedAt: number;
  readonly completedAt: number;
  readonly results: readonly StoredResult[];
}

/** What became of a queue's event, under the sequence of the message that it was run for. */
export interface StoredOutcome {
  readonly sequence: number;
  readonly event: BaseEvent;
}

/**
 * A completed event with its results and children, as bytes. What doesn't fit, or can't be copied, is an error in its
 * place: that it has ended must be known all the same.
 */
export function encodeOutcome(sequence: number, event: BaseEvent, maxSize: number): Buffer {
  const stored = storeEvent(event, (value) => value);
  try {
    const bytes = serialize({ sequence, stored });
    if (bytes.length <= maxSize) return bytes;
  } catch {
    const checked = serialize({ sequence, stored: storeEvent(event, clonable) });
    if (checked.length <= maxSize) return checked;
  }
  const tooLarge = (): never => {
    throw new UnserializableError(
      `result too large: a queue keeps ${maxSize} bytes of an event and its results`,
      {},
      '',
    );
  };
  const cut: StoredEvent = { ...storeEvent(event, tooLarge), json: minimalJson(event) };
  return serialize({
    sequence,
    stored: { ...cut, results: cut.results.map((result) => ({ ...result, children: [] })) },
  });
}

/** @param classOf the class of a type, if it is known here */
export function decodeOutcome(
  bytes: Uint8Array,
  classOf: (type: string) => EventConstructor | undefined,
): StoredOutcome {
  const { sequence, stored } = deserialize(bytes) as { sequence: number; stored: StoredEvent };
  return { sequence, event: restoreEvent(stored, classOf) };
}

function storeEvent(event: BaseEvent, check: (value: unknown) => unknown): StoredEvent {
  const lifecycle = lifecycleOf(event);
  return {
    json: JSON.stringify(event),
    startedAt: toWire(lifecycle.startedAt),
    completedAt: toWire(lifecycle.completedAt),
    results: (lifecycle.results as readonly EventResult[]).map((result) => storeResult(result, check)),
  };
}

function storeResult(result: EventResult, check: (value: unknown) => unknown): StoredResult {
  return {
    source: { ...sourceOf(result) },
    timeout: result.timeout,
    startedAt: toWire(startedAtOf(result)),
    completedAt: toWire(completedAtOf(result)),
    ...storeEnd(result, check),
    children: result.children.map((child) => storeEvent(child.event as BaseEvent, check)),
  };
}

function storeEnd(result: EventResult, check: (value: unknown) => unknown): { value: unknown } | { thrown: Thrown } {
  if (result.status === 'error') return { thrown: encodeThrown(result.error) };
  if (result.result instanceof BaseEvent) return { value: null };
  try {
    return { value: check(result.result) };
  } catch (error) {
    return { thrown: encodeThrown(error) };
  }
}

function clonable(value: unknown): unknown {
  try {
    serialize(value);
    return value;
  } catch (cause) {
    throw new UnserializableError(`The result can't be stored: ${(cause as Error).message}`, {}, 'result');
  }
}

function minimalJson(event: BaseEvent): string {
  const { event_type, event_schema, event_id, event_parent_id, event_timeout, event_created_at } = event;
  return JSON.stringify({ event_type, event_schema, event_id, event_parent_id, event_timeout, event_created_at });
}

function restoreEvent(stored: StoredEvent, classOf: (type: string) => EventConstructor | undefined): BaseEvent {
  const event = readEvent(stored.json, classOf);
  const lifecycle = lifecycleOf(event);
  const results = stored.results.map((result) => {
    const restored = new EventResult(lifecycle, result.source, result.timeout);
    for (const child of result.children) addChild(restored, lifecycleOf(restoreEvent(child, classOf)));
    const failed = result.thrown !== undefined;
    resultRestored(restored, null, {
      status: failed ? 'error' : 'completed',
      value: failed ? null : result.value,
      error: failed ? decodeThrown(result.thrown) : null,
      startedAt: fromWire(result.startedAt),
      completedAt: fromWire(result.completedAt),
    });
    return restored;
  });
  lifecycle.restore(fromWire(stored.startedAt), fromWire(stored.completedAt), results);
  return event;
}

/** Of its class if it fits it; what was stored without its payload, or by another version, is a plain event. */
function readEvent(json: string, classOf: (type: string) => EventConstructor | undefined): BaseEvent {
  const { event_type: type } = JSON.parse(json) as { event_type: string };
  const Class = classOf(type);
  if (Class === undefined) return BaseEvent.fromJSON(json);
  try {
    return (Class as unknown as typeof BaseEvent).fromJSON(json);
  } catch {
    return BaseEvent.fromJSON(json);
  }
}

/** The event as one that has failed without a handler of this process: its worker was lost, or nobody can read it. */
export function failedOutcome(event: BaseEvent, error: unknown, queue: string): BaseEvent {
  const lifecycle = lifecycleOf(event);
  const source = { handlerId: queue, handlerName: 'queue', busId: queue, busName: queue };
  const result = new EventResult(lifecycle, source, event.event_timeout);
  const at = now();
  resultRestored(result, null, { status: 'error', value: null, error, startedAt: at, completedAt: at });
  lifecycle.restore(at, at, [result]);
  return event;
}

/** An event as it is stored in a queue, of no class; null for what is none. */
export function plainEvent(body: Uint8Array): BaseEvent | null {
  try {
    return BaseEvent.fromJSON(Buffer.from(body).toString());
  } catch {
    return null;
  }
}
