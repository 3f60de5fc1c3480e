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
 * A completed event with its results and children, as bytes. What doesn't fit, or can't be read or copied, is an error in
 * its place, or left out: that the event has ended must be known all the same, or it would run again.
 */
export function encodeOutcome(sequence: number, event: BaseEvent, maxSize: number): Buffer {
  const tooLarge = (): never => {
    throw new UnserializableError(
      `result too large: a queue keeps ${maxSize} bytes of an event and its results`,
      {},
      '',
    );
  };
  const forms: (() => StoredEvent)[] = [
    () => storeEvent(event, { ...whole, value: (value) => value }),
    () => storeEvent(event, { ...whole, value: copied, json: readableJson }),
    () => storeEvent(event, { ...cut, value: tooLarge }),
    () => storeEvent(event, { ...cut, value: tooLarge, error: shortened, most: 100 }),
  ];
  for (const form of forms) {
    try {
      const bytes = serialize({ sequence, stored: form() });
      if (bytes.length <= maxSize) return bytes;
    } catch {
      // The next form has less in it.
    }
  }
  const { startedAt, completedAt } = lifecycleOf(event);
  const times = { startedAt: toWire(startedAt), completedAt: toWire(completedAt) };
  return serialize({ sequence, stored: { json: minimalJson(event), ...times, results: [] } });
}

/** The sequence alone. */
export function outcomeSequence(bytes: Uint8Array): number {
  return (deserialize(bytes) as { sequence: number }).sequence;
}

/** @param classOf the class of a type, if it is known here */
export function decodeOutcome(
  bytes: Uint8Array,
  classOf: (type: string) => EventConstructor | undefined,
): StoredOutcome {
  const { sequence, stored } = deserialize(bytes) as { sequence: number; stored: StoredEvent };
  return { sequence, event: restoreEvent(stored, classOf) };
}

/** What of an event is written, and how. */
interface Form {
  value(value: unknown): unknown;
  error(error: unknown): unknown;
  json(event: BaseEvent): string;
  readonly hasChildren: boolean;
  /** Results at most. */
  readonly most: number;
}

const whole = {
  error: (error: unknown) => error,
  json: (event: BaseEvent) => JSON.stringify(event),
  hasChildren: true,
  most: Infinity,
};
const cut = { ...whole, json: minimalJson, hasChildren: false };

function storeEvent(event: BaseEvent, form: Form): StoredEvent {
  const lifecycle = lifecycleOf(event);
  const results = lifecycle.results as readonly EventResult[];
  return {
    json: form.json(event),
    startedAt: toWire(lifecycle.startedAt),
    completedAt: toWire(lifecycle.completedAt),
    results: results.slice(0, form.most).map((result) => storeResult(result, form)),
  };
}

function storeResult(result: EventResult, form: Form): StoredResult {
  return {
    source: { ...sourceOf(result) },
    timeout: result.timeout,
    startedAt: toWire(startedAtOf(result)),
    completedAt: toWire(completedAtOf(result)),
    ...storeEnd(result, form),
    children: form.hasChildren ? result.children.map((child) => storeEvent(child.event as BaseEvent, form)) : [],
  };
}

function storeEnd(result: EventResult, form: Form): { value: unknown } | { thrown: Thrown } {
  if (result.status === 'error') return { thrown: encodeThrown(form.error(result.error)) };
  try {
    if (result.result instanceof BaseEvent) return { value: null };
    return { value: form.value(result.result) };
  } catch (error) {
    return { thrown: encodeThrown(error) };
  }
}

/** Read once: what it shows then is what is written. */
function copied(value: unknown): unknown {
  try {
    return deserialize(serialize(value)) as unknown;
  } catch (cause) {
    throw new UnserializableError(`The result can't be stored: ${textOf(cause)}`, {}, 'result');
  }
}

/** A handler may have put something into the event that JSON can't say. */
function readableJson(event: BaseEvent): string {
  try {
    return JSON.stringify(event);
  } catch {
    return minimalJson(event);
  }
}

function minimalJson(event: BaseEvent): string {
  const { event_type, event_schema, event_id, event_parent_id, event_timeout, event_created_at } = event;
  return JSON.stringify({ event_type, event_schema, event_id, event_parent_id, event_timeout, event_created_at });
}

/** Characters of an error's text that are kept when the whole is too large. */
const shortText = 500;

/** An error's name and the beginning of what it says. */
export function shortened(error: unknown): Error {
  const text = textOf(error);
  const short = new Error(text.length > shortText ? `${text.slice(0, shortText)}… (shortened)` : text);
  try {
    short.name = (error as Error).name.slice(0, 100);
  } catch {
    // It has none.
  }
  delete short.stack;
  return short;
}

function textOf(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return 'something that can not be looked at';
  }
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
  const read = JSON.parse(json) as { event_type: string };
  const Class = classOf(read.event_type);
  if (Class === undefined) return BaseEvent.fromJSON(read);
  try {
    return (Class as unknown as typeof BaseEvent).fromJSON(read);
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
