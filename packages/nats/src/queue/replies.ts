import { randomUUID } from 'node:crypto';
import type { BrokerMessage } from '../broker/connection.ts';
import type { QueueStore } from './queue-store.ts';

/** Who is told what comes of an event, beside the store of results. */
export const replyHeader = 'Threadbus-Reply';

/** Events at most that are waited for in this way. */
const most = 10_000;

/** What is to be heard of an event. */
export class Reply {
  /** To be written into the event. */
  readonly address: string;
  #data: Uint8Array | null = null;
  readonly #listeners = new Set<(data: Uint8Array) => void>();
  /** Calls that put the event into the queue. */
  uses = 0;

  constructor(address: string) {
    this.address = address;
  }

  /** Calls back with what has come, and with what comes. */
  listen(onData: (data: Uint8Array) => void): () => void {
    if (this.#data !== null) onData(this.#data);
    this.#listeners.add(onData);
    return () => this.#listeners.delete(onData);
  }

  come(data: Uint8Array): void {
    this.#data = data;
    for (const listener of [...this.#listeners]) listener(data);
  }
}

/**
 * What comes of the events that this process has put into a queue, told to it by whoever ran them.
 *
 * Begins with the first wait for an outcome: who only enqueues is told nothing. From then on an event bears this
 * process's address when it is stored, and the subscription to that was there before: so nothing has to be asked. What
 * is stored is the truth all the same. A reply that is lost, with a connection, is looked up there.
 */
export class Replies {
  readonly #store: QueueStore;
  readonly #open = new Map<string, Reply>();
  #address: string | null = null;

  constructor(store: QueueStore) {
    this.#store = store;
  }

  begin(): void {
    if (this.#address !== null) return;
    const address = randomUUID();
    this.#store.jetstream.broker.subscribe(this.#store.replySubject(address, '*'), (message) => this.#heard(message));
    this.#address = address;
  }

  /** To be called before the event leaves. @returns null if it isn't told of */
  expect(eventId: string): Reply | null {
    const there = this.#open.get(eventId);
    if (this.#address === null || (there === undefined && this.#open.size >= most)) return null;
    const reply = there ?? new Reply(this.#address);
    reply.uses += 1;
    this.#open.set(eventId, reply);
    return reply;
  }

  /** The event wasn't stored, or was there before, perhaps with another's address. */
  drop(eventId: string, reply: Reply): void {
    reply.uses -= 1;
    if (reply.uses === 0 && this.#open.get(eventId) === reply) this.#open.delete(eventId);
  }

  #heard({ subject, data }: BrokerMessage): void {
    const eventId = subject.slice(subject.lastIndexOf('.') + 1);
    const reply = this.#open.get(eventId);
    this.#open.delete(eventId);
    reply?.come(data);
  }
}

/** @returns null for what is no address: it becomes a part of a subject */
export function readAddress(text: string | undefined): string | null {
  return text !== undefined && /^[\w-]{1,64}$/.test(text) ? text : null;
}
