import { randomUUID } from 'node:crypto';
import { BaseEvent, UnserializableError } from '@threadbus/core';
import { checkOptions, checkSignal, checkWait, describe, liveHandler, setParent } from '@threadbus/core/internal';
import { NatsUnavailableError, QueueUnavailableError } from '../basics/errors.ts';
import { endsWithin, orAborted, pause } from '../basics/waits.ts';
import { NoAnswerError, NoRespondersError } from '../broker/requests.ts';
import { JetStreamError } from '../jetstream/jetstream-error.ts';
import type { PublishAck } from '../jetstream/jetstream.ts';
import { partitionOf } from './queue-options.ts';
import { isFull, type QueueStore } from './queue-store.ts';
import { type Replies, type Reply, replyHeader } from './replies.ts';

/** Options of `enqueue`. */
export interface EnqueueOptions {
  /** Seconds for the event to be stored. @default 10 */
  readonly timeout?: number | undefined;
  /** Ends the wait with its reason; the event may be stored all the same. @default none */
  readonly signal?: AbortSignal | undefined;
}

export const keyHeader = 'Threadbus-Key';
/** Which call of `enqueue` has stored it: one that heard no answer can tell its own event from another's. */
const callHeader = 'Threadbus-Call';
/** Of an event that comes from the dead letters: it was in the queue before. */
export const redrivenHeader = 'Threadbus-Redriven';

/** Seconds for one answer of the store: a message or an answer that got lost is sent again then, and stored once. */
const answerTime = 2;
/** Bytes of a key, which travels in a header. */
const longestKey = 1000;
/** Seconds between two tries, at first and at most. */
const shortestWait = 0.1;
const longestWait = 1;

/** That an event is in the store. */
export interface Stored {
  readonly ack: PublishAck;
  /** What comes of it; null if it is to be looked up. */
  readonly reply: Reply | null;
}

/** Puts events into the store, those of one line one after another. */
export class Enqueuing {
  readonly #store: QueueStore;
  readonly #replies: Replies;
  /** By line, as long as something is on its way there. */
  readonly #lines = new Map<number, Promise<unknown>>();
  readonly #id = randomUUID();
  #calls = 0;

  constructor(store: QueueStore, replies: Replies) {
    this.#store = store;
    this.#replies = replies;
  }

  /** @throws TypeError, UnserializableError, QueueUnavailableError, the signal's reason */
  async add(event: BaseEvent, options: EnqueueOptions): Promise<Stored> {
    checkOptions('enqueue', options, ['timeout', 'signal']);
    checkSignal(options.signal);
    const seconds = checkWait('timeout (seconds)', options.timeout ?? 10) ?? Infinity;
    this.#checkClass(event);
    const key = this.#keyOf(event);
    // An event that a handler makes is its child; nobody waits for it.
    const parent = liveHandler()?.runner.lifecycle.event as BaseEvent | undefined;
    if (parent !== undefined && parent !== event) setParent(event, parent.event_id);
    const body = this.#encode(event);
    const partition = key === null ? 0 : partitionOf(key, this.#store.options.partitions);
    const until = performance.now() + seconds * 1000;
    options.signal?.throwIfAborted();
    const { broker } = this.#store.jetstream;
    const id = event.event_id;
    const reply = this.#replies.expect(id);
    this.#calls += 1;
    const headers = {
      'Nats-Msg-Id': id,
      [callHeader]: `${this.#id}.${this.#calls}`,
      ...(key !== null && { [keyHeader]: encodeURIComponent(key) }),
      ...(reply !== null && { [replyHeader]: reply.address }),
    };
    const put = (limit: number): Promise<PublishAck> =>
      this.#put(event, partition, body, headers, limit, options.signal);
    let isNew = false;
    broker.storing += 1;
    try {
      const ack = await (key === null ? put(until) : this.#inLine(partition, put, until, options.signal));
      isNew = !ack.duplicate;
      return { ack, reply: isNew ? reply : null };
    } finally {
      broker.storing -= 1;
      if (reply !== null && !isNew) this.#replies.drop(id, reply);
    }
  }

  #checkClass(event: unknown): asserts event is BaseEvent {
    const { classes } = this.#store.options;
    if (event instanceof BaseEvent && classes.has(event.event_type)) return;
    const got = event instanceof BaseEvent ? `an event ${event.event_type}` : describe(event);
    throw new TypeError(
      `The queue ${this.#store.name} takes events of ${[...classes.keys()].join(', ')}; got ${got}. Add its class to the queue's events.`,
    );
  }

  #keyOf(event: BaseEvent): string | null {
    const { key } = this.#store.options;
    if (key === null) return null;
    const value: unknown = key(event as never);
    if ((typeof value === 'string' && value !== '') || (typeof value === 'number' && !Number.isNaN(value))) {
      const bytes = Buffer.from(String(value));
      // Read again: half a surrogate pair is no text.
      if (bytes.length <= longestKey) return bytes.toString();
    }
    throw new TypeError(
      `Expected key to give a text that isn't empty, of ${longestKey} bytes at most, or a number, for ${event.event_type}; got ${describe(value)}.`,
    );
  }

  #encode(event: BaseEvent): Buffer {
    const body = Buffer.from(JSON.stringify(event));
    const { maxSize } = this.#store;
    if (body.length <= maxSize) return body;
    const { event_type: eventType, event_id: eventId } = event;
    throw new UnserializableError(
      `${eventType}: too large: ${body.length} bytes, and the server takes ${maxSize}. Put the data elsewhere, and its address into the event.`,
      { eventType, eventId },
      '',
    );
  }

  /** Each waits for those before it, whatever becomes of them; whoever gives up, lets those behind it wait on. */
  #inLine(
    partition: number,
    put: (until: number) => Promise<PublishAck>,
    until: number,
    signal: AbortSignal | undefined,
  ): Promise<PublishAck> {
    const before = this.#lines.get(partition);
    // Should the time be up first, putting it says so, and nothing leaves: it could overtake.
    const ended = before === undefined ? true : endsWithin(before, until, signal);
    const mine = ended === true ? put(until) : ended.then((isOver) => put(isOver ? until : 0));
    const line = Promise.allSettled([before, mine]);
    this.#lines.set(partition, line);
    void line.then(() => {
      if (this.#lines.get(partition) === line) this.#lines.delete(partition);
    });
    return mine;
  }

  async #put(
    event: BaseEvent,
    partition: number,
    body: Buffer,
    headers: Readonly<Record<string, string>>,
    until: number,
    signal: AbortSignal | undefined,
  ): Promise<PublishAck> {
    const { jetstream, name } = this.#store;
    let cause: unknown = undefined;
    let hasSwept = false;
    let wait = shortestWait;
    for (;;) {
      const left = (until - performance.now()) / 1000;
      const isThere = left > 0 && (await jetstream.broker.whenUp(left, signal));
      const { isClosed } = jetstream.broker;
      if (!isThere || isClosed) {
        const late = isFull(cause) ? 'is full (maxBytes), and did not say in time' : 'did not say in time';
        const why = isClosed ? 'belongs to a net that is closed, and did not say' : late;
        const where = isClosed ? ' on the queue of another net, await connectNats(…)' : '';
        throw new QueueUnavailableError(
          `The queue ${name} ${why} that ${event.event_type}#${event.event_id.slice(-4)} is stored; it may be. Enqueue the same event again${where}: it is stored once.`,
          name,
          event,
          cause,
        );
      }
      try {
        const putting = this.#store.putEvent(partition, body, headers, Math.min(answerTime, left));
        const ack = await orAborted(putting, signal);
        if (!ack.duplicate || cause === undefined) return ack;
        return { ...ack, duplicate: !(await orAborted(this.#isOwn(ack.sequence, headers[callHeader]), signal)) };
      } catch (error) {
        signal?.throwIfAborted();
        cause = error;
        // Only this has taken its time; all else comes at once, also from a server that is only just starting.
        if (error instanceof NoAnswerError) continue;
        await this.#checkPassing(error, event);
        if (isFull(error) && !hasSwept) {
          hasSwept = true;
          await orAborted(this.#store.sweep(0), signal).catch(() => undefined);
          continue;
        }
        await pause(Math.max(0, Math.min(wait, (until - performance.now()) / 1000)), signal);
        wait = Math.min(longestWait, wait * 2);
        hasSwept = false;
      }
    }
  }

  /** Whether an earlier try of that call has stored it. */
  async #isOwn(sequence: number, call: string | undefined): Promise<boolean> {
    const { jetstream, events, allEvents } = this.#store;
    const stored = await jetstream.nextFrom(events, allEvents, sequence);
    return stored?.sequence === sequence && stored.header(callHeader) === call;
  }

  /** @throws what no repetition changes */
  async #checkPassing(refusal: unknown, event: BaseEvent): Promise<void> {
    const { jetstream, events, name } = this.#store;
    if (refusal instanceof JetStreamError) {
      if (refusal.status === 503 || isFull(refusal)) return;
      const which = `${event.event_type}#${event.event_id.slice(-4)}`;
      throw new QueueUnavailableError(
        `The queue ${name} does not take ${which}: ${refusal.message}.`,
        name,
        event,
        refusal,
      );
    }
    if (!(refusal instanceof NatsUnavailableError)) throw refusal;
    if (jetstream.broker.isClosed) return;
    if (!(refusal.cause instanceof NoRespondersError)) throw refusal;
    const isThere = await jetstream.stream(events).catch(() => undefined);
    if (isThere === null) throw new QueueUnavailableError(`The queue ${name} was deleted.`, name, event, refusal);
  }
}
