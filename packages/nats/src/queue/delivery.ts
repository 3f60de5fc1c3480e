import { BaseEvent, BusError, isBusCapacityError, type RunningBus } from '@threadbus/core';
import { setDelivery } from '@threadbus/core/internal';
import { WorkerLostError } from '../basics/errors.ts';
import type { Delivered } from '../jetstream/delivered.ts';
import type { Attempt } from './attempts.ts';
import { encodeDeath } from './dead-letter.ts';
import { keyHeader } from './enqueuing.ts';
import type { QueueStore } from './queue-store.ts';
import { readAddress, replyHeader } from './replies.ts';
import { encodeOutcome, failedOutcome, plainEvent } from './stored-outcome.ts';

/** A bus that events of a queue can run on. */
export interface WorkBus extends RunningBus {
  waitForCapacity(options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
}

/** No handler was there for the event. */
class NoHandlerError extends BusError {
  static {
    this.prototype.name = 'NoHandlerError';
  }
  override readonly code = 'ERR_NO_HANDLER';
}

type Verdict = 'done' | { readonly again: number } | { readonly dead: unknown; readonly event: BaseEvent | null };

/** What a delivery says to whoever runs it. */
export interface DeliveryHost {
  readonly bus: WorkBus;
  readonly store: QueueStore;
  /** Types that were reported as having no handler: once is enough for each. */
  readonly handlerless: Set<string>;
  warn(text: string): void;
}

/**
 * One delivery of one event: read, run, and then acknowledged, given back, or put into the dead letters.
 *
 * While it runs the store is told so three times in `ackWait`. What came of it is stored before it is acknowledged, and
 * a dead letter before the event is let go: a crash between the two repeats a step, and never loses one.
 */
export class Delivery {
  readonly #host: DeliveryHost;
  readonly #message: Delivered;
  /** How often the event was started, this time included; 0 as long as it isn't. */
  #count = 0;
  #attempt: Attempt | null = null;
  /** Set when the crew gives it up: what comes of it isn't told any more. */
  #isAbandoned = false;

  constructor(host: DeliveryHost, message: Delivered) {
    this.#host = host;
    this.#message = message;
  }

  async run(): Promise<void> {
    const { ackWait } = this.#host.store.options;
    const renewing = setInterval(() => this.#message.working(), (ackWait * 1000) / 3);
    try {
      const verdict = await this.#judge();
      if (!this.#isAbandoned) await this.#carryOut(verdict);
    } catch (error) {
      // The store failed in between: the event comes again, after `ackWait`.
      this.#host.warn(`${this.#host.store.name}: ${(error as Error).message}. The event comes again.`);
    } finally {
      clearInterval(renewing);
    }
  }

  /** Another worker is to take it, at once. */
  abandon(): void {
    this.#isAbandoned = true;
    this.#message.giveBack(0);
  }

  async #judge(): Promise<Verdict> {
    const { store } = this.#host;
    const { maxDeliver, ackWait, backoff } = store.options;
    const { data, storedAt, sequence } = this.#message;
    const text = Buffer.from(data).toString();
    const type = typeOf(text);
    const Class =
      type === null ? undefined : (store.options.classes.get(type) as unknown as typeof BaseEvent | undefined);
    if (type !== null && Class === undefined) {
      this.#host.warn(`${store.name}: ${type} is none of the events that this worker knows; it goes to others.`);
      const isNew = Date.now() - storedAt < ackWait * maxDeliver * 1000;
      if (isNew) return { again: ackWait };
      return { dead: new TypeError(`No worker knows ${type}: add its class to the queue's events.`), event: null };
    }
    let event: BaseEvent;
    try {
      event = (Class ?? BaseEvent).fromJSON(text);
    } catch (error) {
      return { dead: error, event: null };
    }
    this.#attempt = await store.attempts.next(sequence);
    const { count } = this.#attempt;
    if (count > maxDeliver) {
      const error = new WorkerLostError(`The worker that had delivery ${maxDeliver} of ${maxDeliver} was lost.`);
      this.#count = maxDeliver;
      return { dead: error, event: null };
    }
    this.#count = count;
    const error = await this.#dispatch(event);
    if (error === null) {
      await this.#storeOutcome(event);
      return 'done';
    }
    // Without a handler nothing of it shows why it failed.
    if (count >= maxDeliver) return { dead: error, event: event.event_results.size === 0 ? null : event };
    return { again: backoff[Math.min(count, backoff.length) - 1] ?? 0 };
  }

  /** @returns why it failed; null if it didn't */
  async #dispatch(event: BaseEvent): Promise<unknown> {
    const { bus, store } = this.#host;
    setDelivery(event, {
      queue: store.name,
      count: this.#count,
      sequence: this.#message.sequence,
      key: this.#key,
    });
    for (;;) {
      try {
        await bus.dispatch(event);
        break;
      } catch (error) {
        if (!isBusCapacityError(error)) return error;
        await bus.waitForCapacity();
      }
    }
    const results = [...event.event_results.values()];
    if (results.length === 0) {
      const { event_type: eventType, event_id: eventId } = event;
      this.#reportHandlerless(eventType);
      return new NoHandlerError(`${bus.name} has no handler for ${eventType}.`, {
        busName: bus.name,
        eventType,
        eventId,
      });
    }
    if (event.event_outcome === 'succeeded') return null;
    return results.find(({ error }) => error !== null)?.error ?? new Error('The event was cancelled.');
  }

  /** No handler fails, so nothing else would say why the event comes again and again, and at last is a dead letter. */
  #reportHandlerless(eventType: string): void {
    const { bus, store, handlerless } = this.#host;
    if (handlerless.has(eventType)) return;
    handlerless.add(eventType);
    this.#host.warn(
      `${store.name}: ${bus.name} has no handler for ${eventType}, which counts as a failure. Register it before the work begins: bus.on(${eventType}, handler).`,
    );
  }

  async #carryOut(verdict: Verdict): Promise<void> {
    const { ackWait } = this.#host.store.options;
    if (verdict !== 'done' && 'again' in verdict) {
      this.#message.giveBack(verdict.again);
      return;
    }
    if (verdict !== 'done') await this.#bury(verdict.dead, verdict.event);
    const isKnown = await this.#message.done(ackWait);
    if (isKnown && this.#attempt !== null) this.#host.store.attempts.forget(this.#attempt);
  }

  async #bury(error: unknown, ran: BaseEvent | null): Promise<void> {
    const { store } = this.#host;
    const { data, sequence } = this.#message;
    // One that nobody could read was delivered, if not started.
    const deliveries = this.#count === 0 ? Math.min(this.#message.count, store.options.maxDeliver) : this.#count;
    const death = encodeDeath({ body: data, key: this.#key, error, deliveries, sequence });
    await store.jetstream.publish(store.deadSubject, death, { 'Nats-Msg-Id': `${store.name}.${sequence}` });
    const event = ran ?? plainEvent(data);
    if (event !== null) await this.#storeOutcome(ran ?? failedOutcome(event, error, store.name));
    this.#host.warn(
      `${store.name}: ${event?.event_type ?? 'an event'} went to the dead letters after ${deliveries} of ${store.options.maxDeliver} deliveries: ${error instanceof Error ? error.message : String(error)}`,
    );
  }

  async #storeOutcome(event: BaseEvent): Promise<void> {
    const { store } = this.#host;
    const bytes = encodeOutcome(this.#message.sequence, event, store.maxSize);
    const stored = store.jetstream.publish(store.resultSubject(event.event_id), bytes, {});
    const address = readAddress(this.#message.headers?.get(replyHeader));
    if (address !== null) store.jetstream.broker.publish(store.replySubject(address, event.event_id), bytes);
    await stored;
  }

  get #key(): string | null {
    const key = this.#message.headers?.get(keyHeader) ?? '';
    return key === '' ? null : decodeURIComponent(key);
  }
}

function typeOf(text: string): string | null {
  try {
    const { event_type: type } = JSON.parse(text) as { event_type?: unknown };
    return typeof type === 'string' ? type : null;
  } catch {
    return null;
  }
}
