import { BaseEvent, EventBus, EventValidationError, isEventValidationError } from '@threadbus/core';
import { busEngine, checkFlag, checkOptions, defaultLogger, describe } from '@threadbus/core/internal';
import { BusReference } from '@threadbus/link/internal';
import { checkEventId } from '../basics/names.ts';
import { Crew, type WorkOptions } from './crew.ts';
import { DeadLetter } from './dead-letter.ts';
import type { WorkBus } from './delivery.ts';
import { Enqueuing, type EnqueueOptions, redrivenHeader } from './enqueuing.ts';
import { type CompletedOptions, Outcomes } from './outcomes.ts';
import type { QueueStore } from './queue-store.ts';
import { checkFollow, firstOf, type FollowOptions, readStream, type ReplayOptions } from './reading.ts';
import { Receipt } from './receipt.ts';
import { Replies } from './replies.ts';
import type { StoredMessage } from '../jetstream/stored-message.ts';
import { parsed, typeOf } from './stored-event.ts';

/** How many events of a queue are where. */
export interface QueueStats {
  /** Not given to a worker yet. */
  readonly waiting: number;
  /** At a worker, or waiting to be delivered again. */
  readonly running: number;
  /** In the dead letters. */
  readonly dead: number;
}

/**
 * A durable queue: events are stored before they are run, and run at least once by some worker.
 *
 * Once `enqueue` has resolved, the event runs at least once, perhaps more: after a crash, or when a worker was cut off
 * for longer than `ackWait`. One at a time for each key, as long as no worker is cut off for longer than that. After
 * `maxDeliver` deliveries it is in the dead letters with its last error, never silently gone.
 *
 * @example
 * ```ts
 * const jobs = await net.queue('thumbs', { events: [Resize], key: (event) => event.image_id });
 * const receipt = await jobs.enqueue(new Resize({ image_id: 'a1', width: 200 }));   // stored
 * await using crew = jobs.work(bus, { concurrency: 8 });                            // here, or in other processes
 * const event = await receipt.completed({ timeout: 60 });                           // with its results
 * ```
 */
export class NatsQueue<Event extends BaseEvent = BaseEvent> {
  readonly #store: QueueStore;
  readonly #enqueuing: Enqueuing;
  readonly #outcomes: Outcomes;
  readonly #onCrew: (crew: Crew, bus: WorkBus) => void;

  /** @internal */
  constructor(store: QueueStore, onCrew: (crew: Crew, bus: WorkBus) => void) {
    this.#store = store;
    const replies = new Replies(store);
    this.#enqueuing = new Enqueuing(store, replies);
    this.#outcomes = new Outcomes(store, replies);
    this.#onCrew = onCrew;
  }

  /** As it was asked for. */
  get name(): string {
    return this.#store.name;
  }

  /**
   * Stores an event, to be run by some worker; an event that is stored already isn't stored again within `dedupeWindow`.
   *
   * Events of one key run in the order in which this process has enqueued them. Inside a handler the event becomes a
   * child of the handler's, but nobody waits for it.
   *
   * @returns once it is stored
   * @throws TypeError for an event of another class, or a key that is none; UnserializableError if it is larger than the
   *   server takes; QueueUnavailableError if the store doesn't answer in time; the signal's reason
   * @example
   * ```ts
   * const { sequence, duplicate } = await jobs.enqueue(new Resize({ url }));
   * ```
   */
  async enqueue<E extends Event>(event: E, options: EnqueueOptions = {}): Promise<Receipt<E>> {
    const stored = await this.#enqueuing.add(event, options);
    return new Receipt<E>(stored, event.event_id, this.#outcomes);
  }

  /**
   * Waits for what becomes of an event that any process has enqueued; results are kept for `keepResults`.
   *
   * @returns the event with its results, the last errors included: it doesn't reject for them
   * @throws TimeoutError; the signal's reason; TypeError
   * @example
   * ```ts
   * const event = await jobs.completed(eventId, { timeout: 60 });
   * ```
   */
  async completed(eventId: string, options: CompletedOptions = {}): Promise<Event> {
    checkEventId(eventId);
    return (await this.#outcomes.of(eventId, 0, options, null)) as Event;
  }

  /**
   * Runs events of the queue on a bus from now on, so many at a time. An event is acknowledged once it is complete, with
   * its children, and no handler has failed.
   *
   * Where a handler may block its thread, work on a WorkerBus: signs of life to the store come from this thread.
   *
   * @returns the crew, which keeps the process alive until it is closed
   * @throws TypeError, RangeError for a bus or options that make no sense
   * @example
   * ```ts
   * await using crew = jobs.work(bus, { concurrency: 8 });
   * ```
   */
  work(bus: EventBus | BusReference, options: WorkOptions = {}): Crew {
    if (!(bus instanceof EventBus) && !(bus instanceof BusReference)) {
      throw new TypeError(`Expected work to get a bus, whose handlers run the events; got ${describe(bus)}.`);
    }
    const logger = bus instanceof EventBus ? busEngine(bus).options.logger : defaultLogger();
    const crew = new Crew(this.#store, bus, logger, options);
    this.#onCrew(crew, bus);
    return crew;
  }

  /**
   * Events that were given up, the oldest first, up to what was there at the call; with `follow` also those to come.
   *
   * @throws TypeError; an error of the store
   * @example
   * ```ts
   * for await (const dead of jobs.deadLetters()) await dead.redrive();
   * ```
   */
  async *deadLetters(options: FollowOptions = {}): AsyncGenerator<DeadLetter<Event>, void, undefined> {
    checkOptions('deadLetters', options, ['follow', 'signal']);
    checkFollow(options);
    const { dead, deadSubject } = this.#store;
    for await (const message of readStream(this.#store, dead, deadSubject, async () => 1, options)) {
      yield new DeadLetter<Event>(this.#store, message);
    }
  }

  /**
   * Events as they were enqueued, those that have been run as well (for `keep`), up to what was there at the call.
   *
   * They have the id that they had, and no results; with `reset` they are fresh copies. Redriven ones come once.
   *
   * @throws TypeError; EventValidationError for one that its class doesn't take any more, or that is no event: it says
   *   under which sequence, and how to go on behind it; an error of the store
   * @example
   * ```ts
   * for await (const event of jobs.replay({ since: '2026-11-01T00:00:00Z', reset: true })) bus.dispatch(event);
   * ```
   */
  async *replay(options: ReplayOptions = {}): AsyncGenerator<Event, void, undefined> {
    checkOptions('replay', options, ['since', 'reset', 'follow', 'signal']);
    checkFollow(options);
    checkFlag('reset', options.reset);
    const { events, allEvents } = this.#store;
    const first = firstOf(this.#store, options.since);
    for await (const message of readStream(this.#store, events, allEvents, first, options)) {
      if (message.header(redrivenHeader) !== '') continue;
      const event = this.#read(message);
      yield options.reset === true ? event.eventReset() : event;
    }
  }

  /**
   * How many events wait, are at work, and are dead.
   *
   * @throws an error of the store
   * @example
   * ```ts
   * const { waiting } = await jobs.stats();
   * ```
   */
  async stats(): Promise<QueueStats> {
    const { jetstream, events, dead, options } = this.#store;
    const lines = await Promise.all(
      Array.from({ length: options.partitions }, (_, line) => jetstream.consumer(events, this.#store.consumerOf(line))),
    );
    return {
      waiting: lines.reduce((sum, { num_pending: pending }) => sum + pending, 0),
      running: lines.reduce((sum, { num_ack_pending: out }) => sum + out, 0),
      dead: (await jetstream.stream(dead))?.state.messages ?? 0,
    };
  }

  /**
   * Deletes the queue with all that is in it, dead letters and results included. Crews end with an error.
   *
   * @throws an error of the store
   * @example
   * ```ts
   * await jobs.delete();
   * ```
   */
  async delete(): Promise<void> {
    await this.#store.delete();
  }

  #read({ data, sequence }: StoredMessage): Event {
    const json = parsed(data);
    const Class = this.#store.options.classes.get(typeOf(json) ?? '') as unknown as typeof BaseEvent | undefined;
    try {
      return (Class ?? BaseEvent).fromJSON(json) as Event;
    } catch (error) {
      if (!isEventValidationError(error)) throw error;
      const { message, issues } = error;
      throw new EventValidationError(
        `What the queue ${this.name} has stored under sequence ${sequence} can't be read: ${message} To go on behind it: jobs.replay({ since: { sequence: ${sequence + 1} } }).`,
        { eventType: typeOf(json) ?? undefined },
        issues,
        { cause: error },
      );
    }
  }
}
