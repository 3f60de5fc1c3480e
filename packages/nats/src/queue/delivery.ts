import { randomUUID } from 'node:crypto';
import { BaseEvent, BusError, isBusCapacityError, type RunningBus } from '@threadbus/core';
import { setDelivery } from '@threadbus/core/internal';
import { isLinkLostError } from '@threadbus/link';
import { failureOf } from '../basics/bus-failure.ts';
import { NatsUnavailableError, WorkerLostError } from '../basics/errors.ts';
import { pause } from '../basics/waits.ts';
import { NoAnswerError, NoRespondersError } from '../broker/requests.ts';
import type { Delivered } from '../jetstream/delivered.ts';
import { JetStreamError } from '../jetstream/jetstream-error.ts';
import type { Attempt } from './attempts.ts';
import { encodeDeath } from './dead-letter.ts';
import { keyHeader } from './enqueuing.ts';
import type { QueueStore } from './queue-store.ts';
import { parsed, typeOf } from './stored-event.ts';
import { readAddress, replyHeader } from './replies.ts';
import { encodeOutcome, failedOutcome, outcomeSequence, plainEvent, shortened } from './stored-outcome.ts';

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

/** Why an event that was to be started wasn't. */
class NotStarted extends Error {}

type Verdict =
  | 'done'
  | 'known'
  | { readonly again: number }
  | { readonly dead: unknown; readonly event: BaseEvent | null };

/** What a delivery says to whoever runs it. */
export interface DeliveryHost {
  readonly bus: WorkBus;
  readonly store: QueueStore;
  /** Types that were reported as having no handler: once is enough for each. */
  readonly handlerless: Set<string>;
  warn(text: string): void;
  /** A part of the store is gone: makes it again. */
  mend(): Promise<void>;
  /** The bus takes no events any more. */
  broken(error: Error): void;
}

/** Seconds between two tries to write something down, at first and at most. */
const shortestPause = 0.05;
const longestPause = 1;
/** Times `ackWait` for which results must be kept to be found by whoever gets the event again. */
const safeResults = 10;
/** Bytes of a message that its headers take. */
const headerRoom = 1024;

/**
 * One delivery of one event: read, run, and then acknowledged, given back, or put into the dead letters.
 *
 *   waiting ──its start is written down──▶ started ──what came of it is stored──▶ acknowledged
 *      └── abandoned, or the bus is gone: its start is undone, it goes to others
 *
 * What came of it is stored before it is acknowledged, and a dead letter before the event is let go: a crash between the
 * two repeats a step, and never loses one. A server that was killed may have forgotten the acknowledgement: what came of
 * an event that was started before is looked up first, so that one that is done isn't run again.
 */
export class Delivery {
  readonly #host: DeliveryHost;
  readonly #message: Delivered;
  #isAbandoned = false;
  /** Ends the wait for a place on the bus. */
  #waiting: AbortController | null = null;
  /** How often the event was started, this time included; 0 as long as it isn't. */
  #count = 0;
  #attempt: Attempt | null = null;
  #hasStarted = false;
  #hasWarned = false;
  #running: Promise<void> = Promise.resolve();

  constructor(host: DeliveryHost, message: Delivered) {
    this.#host = host;
    this.#message = message;
  }

  /** It is still here. */
  working(): void {
    this.#message.working();
  }

  /** Whether a handler may have seen the event. */
  get hasStarted(): boolean {
    return this.#hasStarted;
  }

  run(): Promise<void> {
    this.#running = this.#run();
    return this.#running;
  }

  /**
   * Another worker is to take it, at once: what runs here is not told any more, what doesn't isn't started.
   *
   * @returns when others can have it
   */
  async abandon(): Promise<void> {
    this.#isAbandoned = true;
    this.#waiting?.abort();
    if (this.#hasStarted) this.#message.giveBack(0);
    else await this.#running;
  }

  async #run(): Promise<void> {
    try {
      await this.#carryOut(await this.#judge());
    } catch (error) {
      if (error instanceof NotStarted) await this.#takeBack();
      // The store failed in between: the event comes again, after `ackWait`.
      else if (!this.#isAbandoned) this.#warn(`${(error as Error).message} The event comes again.`);
    }
  }

  #warn(text: string): void {
    this.#host.warn(`${this.#host.store.name}: ${text}`);
  }

  async #judge(): Promise<Verdict> {
    const { store } = this.#host;
    const { maxDeliver, ackWait, backoff } = store.options;
    const { data, sequence } = this.#message;
    const json = parsed(data);
    const type = typeOf(json);
    const Class =
      type === null ? undefined : (store.options.classes.get(type) as unknown as typeof BaseEvent | undefined);
    if (type !== null && Class === undefined) {
      this.#warn(`${type} is none of the events that this worker knows; it goes to others.`);
      // Each time it waits for `ackWait`: by no clock, that of the store may differ.
      if (this.#message.count <= maxDeliver) return { again: ackWait };
      return { dead: new TypeError(`No worker knows ${type}: add its class to the queue's events.`), event: null };
    }
    const owner = randomUUID();
    const soon = performance.now() + ackWait * 1000;
    let event: BaseEvent | null = null;
    const starting = this.#lasting(() => store.attempts.next(sequence, owner, () => this.#lookBack(event)), soon);
    starting.catch(() => undefined);
    // Read while its start is on its way: the client writes in the microtask that it has asked for by now.
    await Promise.resolve();
    try {
      event = (Class ?? BaseEvent).fromJSON(json);
    } catch (error) {
      const mark = await starting;
      if ('count' in mark) this.#attempt = mark;
      return { dead: error, event: null };
    }
    const next = await starting;
    if (!('count' in next)) return next.verdict;
    this.#attempt = next;
    const { count } = next;
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

  /**
   * It was started before. Its end may be stored, and only the acknowledgement lost; or the store, which was killed, has
   * forgotten that it is out, and whoever has it may go on with it for as long as that is nobody else's.
   *
   * @returns null if it is this one's
   */
  async #lookBack(event: BaseEvent | null): Promise<{ readonly verdict: Verdict } | null> {
    if (event === null) return null;
    const { store } = this.#host;
    const { count, sequence } = this.#message;
    const stored = await store.jetstream.lastOf(store.results, store.resultSubject(event.event_id));
    if (stored !== null && outcomeSequence(stored.data) === sequence) return { verdict: 'known' };
    return count === 1 ? { verdict: { again: store.options.ackWait } } : null;
  }

  /** @returns why it failed; null if it didn't @throws NotStarted */
  async #dispatch(event: BaseEvent): Promise<unknown> {
    const { bus, store } = this.#host;
    setDelivery(event, {
      queue: store.name,
      count: this.#count,
      sequence: this.#message.sequence,
      key: this.#key,
    });
    try {
      await (
        await this.#start(event)
      )();
    } catch (error) {
      if (error instanceof NotStarted) throw error;
      if (isLinkLostError(error) && error.outcome === 'unsent') throw this.#broken(error);
      return error;
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

  /** @returns a call that gives what was begun @throws NotStarted; what the bus has against the event */
  async #start(event: BaseEvent): Promise<() => PromiseLike<unknown>> {
    const { bus } = this.#host;
    for (;;) {
      if (this.#isAbandoned) throw new NotStarted();
      try {
        const running = bus.dispatch(event);
        this.#hasStarted = true;
        return () => running;
      } catch (error) {
        const failure = failureOf(bus);
        if (failure !== null) throw this.#broken(failure);
        if (!isBusCapacityError(error)) throw error;
      }
      // Why it ends early shows in the next round.
      this.#waiting = new AbortController();
      await bus.waitForCapacity({ signal: this.#waiting.signal }).catch(() => undefined);
    }
  }

  #broken(error: Error): NotStarted {
    this.#hasStarted = false;
    this.#host.broken(error);
    return new NotStarted();
  }

  /** It wasn't started: others can have it as if it had never been here. */
  async #takeBack(): Promise<void> {
    const attempt = this.#attempt;
    try {
      if (attempt !== null) await this.#host.store.attempts.undo(attempt);
    } catch (error) {
      this.#warn(`${(error as Error).message} An event that was not started counts as started.`);
    }
    this.#message.giveBack(0);
  }

  /**
   * Until the store has heard it: it may be away, or a part of it.
   *
   * @param until monotonic milliseconds; by then others have the event
   */
  async #lasting<T>(work: () => Promise<T>, until = Infinity): Promise<T> {
    const { broker } = this.#host.store.jetstream;
    for (let wait = shortestPause; ; wait = Math.min(longestPause, wait * 2)) {
      if (this.#isAbandoned && !this.#hasStarted) throw new NotStarted();
      try {
        return await work();
      } catch (error) {
        const isLost = error instanceof NatsUnavailableError && error.cause instanceof NoRespondersError;
        const isPassing = isLost || error instanceof NoAnswerError || error instanceof JetStreamError;
        if (!isPassing || broker.isClosed || this.#isAbandoned || performance.now() > until) throw error;
        if (!this.#hasWarned) this.#warn(`${(error as Error).message} It is tried again.`);
        this.#hasWarned = true;
        if (isLost && broker.isUp) await this.#host.mend();
        if (broker.isUp) await pause(wait);
        else await broker.whenUp(longestPause);
      }
    }
  }

  /** No handler fails, so nothing else would say why the event comes again and again, and at last is a dead letter. */
  #reportHandlerless(eventType: string): void {
    const { bus, handlerless } = this.#host;
    if (handlerless.has(eventType)) return;
    handlerless.add(eventType);
    this.#warn(
      `${bus.name} has no handler for ${eventType}, which counts as a failure. Register it before the work begins: bus.on(${eventType}, handler).`,
    );
  }

  async #carryOut(verdict: Verdict): Promise<void> {
    if (this.#isAbandoned && verdict !== 'known') return;
    const { ackWait, keepResults, key } = this.#host.store.options;
    if (typeof verdict === 'object' && 'again' in verdict) {
      this.#message.giveBack(verdict.again);
      return;
    }
    if (typeof verdict === 'object') await this.#bury(verdict.dead, verdict.event);
    const { attempts, jetstream } = this.#host.store;
    // Should it get lost, the event comes again, and its end is found in the store: nobody has to wait for the answer.
    const isFound = this.#attempt !== null && keepResults > safeResults * ackWait;
    if (isFound && jetstream.broker.isUp) this.#message.acknowledge(key !== null);
    else if (!(await this.#message.done(ackWait))) {
      await this.#host.mend();
      return;
    }
    if (this.#attempt !== null) attempts.forget(this.#attempt);
  }

  async #bury(error: unknown, ran: BaseEvent | null): Promise<void> {
    const { store } = this.#host;
    const { data, sequence } = this.#message;
    // One that nobody could read was delivered, if not started.
    const deliveries = this.#count === 0 ? Math.min(this.#message.count, store.options.maxDeliver) : this.#count;
    const most = store.jetstream.broker.maxPayload - headerRoom;
    const death = encodeDeath({ body: data, key: this.#key, error, deliveries, sequence }, most);
    const headers = { 'Nats-Msg-Id': `${store.name}.${sequence}` };
    await this.#lasting(() => store.jetstream.publish(store.deadSubject, death, headers));
    const event = ran ?? plainEvent(data);
    if (event !== null) await this.#storeOutcome(ran ?? failedOutcome(event, error, store.name));
    this.#warn(
      `${event?.event_type ?? 'an event'} went to the dead letters after ${deliveries} of ${store.options.maxDeliver} deliveries: ${shortened(error).message}`,
    );
  }

  async #storeOutcome(event: BaseEvent): Promise<void> {
    const { store } = this.#host;
    const bytes = encodeOutcome(this.#message.sequence, event, store.maxSize);
    const subject = store.resultSubject(event.event_id);
    const address = readAddress(this.#message.headers?.get(replyHeader));
    // Whoever waits is told first: what is stored is for those who come later.
    if (address !== null) store.jetstream.broker.publish(store.replySubject(address, event.event_id), bytes);
    await this.#lasting(() => store.jetstream.publish(subject, bytes, {}));
  }

  get #key(): string | null {
    const key = this.#message.headers?.get(keyHeader) ?? '';
    try {
      return key === '' ? null : decodeURIComponent(key);
    } catch {
      return key; // not written by a queue
    }
  }
}
