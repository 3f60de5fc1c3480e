import { deserialize, serialize } from 'node:v8';
import { BaseEvent, type EventConstructor } from '@threadbus/core';
import { decodeThrown, encodeThrown } from '@threadbus/link/internal';
import type { StoredMessage } from '../jetstream/stored-message.ts';
import { keyHeader, redrivenHeader } from './enqueuing.ts';
import { partitionOf } from './queue-options.ts';
import type { QueueStore } from './queue-store.ts';
import { outcomeSequence, shortened } from './stored-outcome.ts';

/** What is stored of an event that is given up. */
export interface Death {
  /** As it was in the queue. */
  readonly body: Uint8Array;
  readonly key: string | null;
  readonly error: unknown;
  readonly deliveries: number;
  /** Of the event in the queue. */
  readonly sequence: number;
}

/** @param maxSize bytes at most: of an error that is too long the beginning must do */
export function encodeDeath({ body, key, error, deliveries, sequence }: Death, maxSize: number): Buffer {
  const encode = (thrown: unknown): Buffer =>
    serialize({ body: Buffer.from(body), key, error: encodeThrown(thrown), deliveries, sequence });
  try {
    const bytes = encode(error);
    if (bytes.length <= maxSize) return bytes;
  } catch {
    // A field of the error can't be read twice.
  }
  return encode(shortened(error));
}

/**
 * An event that a queue has given up: after `maxDeliver` deliveries, or because nobody can read it. It stays until it is
 * redriven or discarded.
 *
 * @example
 * ```ts
 * for await (const dead of jobs.deadLetters()) {
 *   console.error(dead.event.toString(), dead.deliveries, dead.error);
 *   await dead.redrive();
 * }
 * ```
 */
export class DeadLetter<Event extends BaseEvent = BaseEvent> {
  /** As it was enqueued, pending and without results. */
  readonly event: Event;
  /** Why the last delivery failed. */
  readonly error: Error;
  /** How often it was delivered. */
  readonly deliveries: number;
  /** ISO 8601, by the server's clock. */
  readonly diedAt: string;
  /** Of the event in the queue. */
  readonly sequence: number;
  readonly #store: QueueStore;
  readonly #message: StoredMessage;
  readonly #body: Uint8Array;
  readonly #key: string | null;

  /** @internal */
  constructor(store: QueueStore, message: StoredMessage) {
    const stored = deserialize(message.data) as Omit<Death, 'error'> & { error: Parameters<typeof decodeThrown>[0] };
    const thrown = decodeThrown(stored.error);
    this.#store = store;
    this.#message = message;
    this.#body = stored.body;
    this.#key = stored.key;
    this.event = readDead(stored.body, store.options.classes) as Event;
    this.error = thrown instanceof Error ? thrown : new Error(String(thrown));
    this.deliveries = stored.deliveries;
    this.sequence = stored.sequence;
    this.diedAt = message.time;
  }

  /**
   * Puts the event into the queue again, behind all of its key, with its deliveries counted from 1. Of several who do
   * that at the same time one puts it there.
   *
   * @returns once it is stored, and gone from the dead letters
   * @throws an error of the store; then it is still among the dead letters
   * @example
   * ```ts
   * await dead.redrive();
   * ```
   */
  async redrive(): Promise<void> {
    const { options } = this.#store;
    const { event_id: id } = this.event;
    const partition = this.#key === null ? 0 : partitionOf(this.#key, options.partitions);
    await this.#forgetOutcome();
    await this.#store.putEvent(partition, this.#body, {
      'Nats-Msg-Id': `${id}.${this.#message.sequence}`,
      [redrivenHeader]: 'yes',
      ...(this.#key !== null && { [keyHeader]: encodeURIComponent(this.#key) }),
    });
    await this.discard();
  }

  /** What it came to before is no answer any more; what it has come to since, if somebody else put it there, is one. */
  async #forgetOutcome(): Promise<void> {
    const { jetstream, results } = this.#store;
    const stored = await jetstream.lastOf(results, this.#store.resultSubject(this.event.event_id));
    if (stored !== null && outcomeSequence(stored.data) <= this.sequence) {
      await jetstream.deleteMessage(results, stored.sequence);
    }
  }

  /**
   * Takes the event out of the dead letters, for good.
   *
   * @throws an error of the store
   * @example
   * ```ts
   * await dead.discard();
   * ```
   */
  async discard(): Promise<void> {
    await this.#store.jetstream.deleteMessage(this.#store.dead, this.#message.sequence);
  }
}

/** Of its class if it fits; what made it fail may be that it doesn't. */
function readDead(body: Uint8Array, classes: ReadonlyMap<string, EventConstructor>): BaseEvent {
  const text = Buffer.from(body).toString();
  try {
    const { event_type: type } = JSON.parse(text) as { event_type: string };
    const Class = classes.get(type) as unknown as typeof BaseEvent | undefined;
    return (Class ?? BaseEvent).fromJSON(text);
  } catch {
    try {
      return BaseEvent.fromJSON(text);
    } catch {
      return new BaseEvent({ body: text }, { event_type: 'UnreadableEvent' });
    }
  }
}
