import { BaseEvent, type EventConstructor } from '@threadbus/core';
import { checkLimit, checkOptions, checkSize, describe } from '@threadbus/core/internal';

/** Options of `net.queue`. */
export interface QueueOptions<Event extends BaseEvent = BaseEvent> {
  /** Classes of the events that it takes; with `maxDeliver` above 1 each must say `idempotent: true`. */
  readonly events: readonly EventConstructor<Event>[];
  /** Events of one key run one at a time, in order. @default none: any order */
  readonly key?: ((event: Event) => string | number) | undefined;
  /** Keys share so many lines; fixed when the queue is made. @default 16, without `key` 1 */
  readonly partitions?: number | undefined;
  /** Deliveries of an event before it goes to the dead letters; 1 = it never runs twice. @default 5 */
  readonly maxDeliver?: number | undefined;
  /** Seconds before each next delivery of an event that failed; the last one repeats, [] = at once. @default [1, 5, 30] */
  readonly backoff?: readonly number[] | undefined;
  /** Seconds in which an event that is enqueued again is known as the same. @default 120 */
  readonly dedupeWindow?: number | undefined;
  /** Seconds after which the events of a worker that gives no sign go to others. @default 10 */
  readonly ackWait?: number | undefined;
  /** Seconds for which events that are done can be replayed. @default 604_800 (7 days) */
  readonly keep?: number | undefined;
  /** Seconds for which results can be fetched. @default 3600 */
  readonly keepResults?: number | undefined;
  /** Bytes that the queue may take in the store; null = no limit. @default null */
  readonly maxBytes?: number | null | undefined;
}

export interface ResolvedQueueOptions {
  /** Classes by type. */
  readonly classes: ReadonlyMap<string, EventConstructor>;
  readonly key: ((event: never) => string | number) | null;
  readonly partitions: number;
  readonly maxDeliver: number;
  readonly backoff: readonly number[];
  readonly dedupeWindow: number;
  readonly ackWait: number;
  readonly keep: number;
  readonly keepResults: number;
  readonly maxBytes: number | null;
}

/** Seconds, as all of these: the server remembers nothing for less. */
const shortestMemory = 0.1;
/** Signs of life are sent three times in it. */
const shortestAckWait = 0.05;
const longest = 3_153_600_000;

const names = [
  'events',
  'key',
  'partitions',
  'maxDeliver',
  'backoff',
  'dedupeWindow',
  'ackWait',
  'keep',
  'keepResults',
  'maxBytes',
];

/** Checks what the user gave and fills in the rest. @throws TypeError, RangeError */
export function resolveQueueOptions(
  options: Omit<QueueOptions, 'events' | 'key'> & { readonly events?: unknown; readonly key?: unknown },
): ResolvedQueueOptions {
  checkOptions('queue', options, names);
  const { key, backoff = [1, 5, 30] } = options;
  if (key !== undefined && typeof key !== 'function') {
    throw new TypeError(
      `Expected key to be a function of the event, such as (event) => event.image_id; got ${describe(key)}.`,
    );
  }
  if (options.partitions !== undefined && key === undefined) {
    throw new TypeError('Expected partitions only together with key: without keys there is one line.');
  }
  if (!Array.isArray(backoff) || !backoff.every((wait) => typeof wait === 'number')) {
    throw new TypeError(`Expected backoff to be an array of seconds, such as [1, 5, 30]; got ${describe(backoff)}.`);
  }
  for (const wait of backoff) checkLength('backoff (seconds)', wait, 0);
  const maxDeliver = checkCount('maxDeliver', options.maxDeliver ?? 5);
  return {
    classes: checkEvents(options.events, maxDeliver),
    key: (key as ResolvedQueueOptions['key'] | undefined) ?? null,
    partitions: key === undefined ? 1 : checkCount('partitions', options.partitions ?? 16),
    maxDeliver,
    backoff,
    dedupeWindow: seconds('dedupeWindow', options.dedupeWindow ?? 120, shortestMemory),
    ackWait: seconds('ackWait', options.ackWait ?? 10, shortestAckWait),
    keep: seconds('keep', options.keep ?? 604_800),
    keepResults: seconds('keepResults', options.keepResults ?? 3600, shortestMemory),
    maxBytes: checkSize('maxBytes', options.maxBytes ?? null),
  };
}

/** The line of a key: the same in every process. */
export function partitionOf(key: string, partitions: number): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash % partitions;
}

function checkEvents(events: unknown, maxDeliver: number): ReadonlyMap<string, EventConstructor> {
  if (!Array.isArray(events) || events.length === 0) {
    throw new TypeError(`Expected events to be an array of event classes, such as [Resize]; got ${describe(events)}.`);
  }
  const classes = new Map<string, EventConstructor>();
  for (const Class of events as unknown[]) {
    if (typeof Class !== 'function' || !(Class.prototype instanceof BaseEvent)) {
      throw new TypeError(
        `Expected events to hold classes of events, such as BaseEvent.extend('Resize', …); got ${describe(Class)}.`,
      );
    }
    const { definition } = Class as typeof BaseEvent;
    if (maxDeliver !== 1 && !definition.idempotent) {
      throw new TypeError(
        `A queue may run an event twice, after a crash, and ${definition.type} doesn't say that it may: make the class with { idempotent: true }, or the queue with { maxDeliver: 1 }.`,
      );
    }
    classes.set(definition.type, Class as EventConstructor);
  }
  return classes;
}

function checkCount(name: string, value: unknown): number {
  const count = checkSize(name, value);
  if (count === null || count < 1 || count > 10_000) {
    throw new RangeError(`Expected ${name} to be a whole number from 1 to 10,000; got ${describe(value)}.`);
  }
  return count;
}

function seconds(name: string, value: unknown, least = 0): number {
  const limit = checkLimit(`${name} (seconds)`, value);
  if (limit === null) throw new RangeError(`Expected ${name} to be a number of seconds; got none.`);
  return checkLength(`${name} (seconds)`, limit, least);
}

/** The store counts nanoseconds, so far. */
function checkLength(name: string, value: number, least: number): number {
  if (value >= least && value <= longest) return value;
  throw new RangeError(`Expected ${name} to be from ${least} to ${longest} (100 years); got ${describe(value)}.`);
}
