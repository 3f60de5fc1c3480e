import { QueueConfigError } from '../basics/errors.ts';
import { JetStreamError, StreamTakenError } from '../jetstream/jetstream-error.ts';
import type { JetStream, PublishAck, StreamConfig, StreamInfo } from '../jetstream/jetstream.ts';
import { Attempts } from './attempts.ts';
import type { ResolvedQueueOptions } from './queue-options.ts';

/** What is fixed when a queue is made; kept in the stream's description. */
interface FixedSettings {
  readonly events: readonly string[];
  readonly keyed: boolean;
  readonly partitions: number;
  readonly dedupeWindow: number;
}

const nothing = Buffer.alloc(0);
const nanoseconds = 1e9;
/** Seconds. */
const day = 86_400;

/** Bytes that are left of a message for what comes with it. */
const overhead = 4096;

/** Where a queue is kept: the streams of its events, its dead letters and its results, and a consumer for each line. */
export class QueueStore {
  readonly jetstream: JetStream;
  readonly name: string;
  readonly options: ResolvedQueueOptions;
  /** Streams. */
  readonly events: string;
  readonly dead: string;
  readonly results: string;
  readonly tries: string;
  readonly attempts: Attempts;
  readonly #root: string;

  constructor(jetstream: JetStream, namespace: string, name: string, options: ResolvedQueueOptions) {
    this.jetstream = jetstream;
    this.name = name;
    this.options = options;
    this.events = `${namespace}_${name}`;
    this.dead = `${this.events}_dead`;
    this.results = `${this.events}_results`;
    this.tries = `${this.events}_tries`;
    this.attempts = new Attempts(jetstream, this.tries, (sequence) => `${this.#root}.tries.${sequence}`);
    this.#root = `threadbus.${namespace}.queue.${name}`;
  }

  /** Bytes of an event, a result or a dead letter at most. */
  get maxSize(): number {
    return this.jetstream.broker.maxPayload - overhead;
  }

  get allEvents(): string {
    return `${this.#root}.events.*`;
  }

  get deadSubject(): string {
    return `${this.#root}.dead`;
  }

  eventSubject(partition: number): string {
    return `${this.#root}.events.${partition}`;
  }

  resultSubject(eventId: string): string {
    return `${this.#root}.results.${eventId}`;
  }

  /** Where one process hears what comes of its events. */
  replySubject(address: string, eventId: string): string {
    return `${this.#root}.replies.${address}.${eventId}`;
  }

  /** Where it is said that something was stored in a line. */
  hintSubject(partition: number | '*'): string {
    return `${this.#root}.hints.${partition}`;
  }

  /** A queue that was deleted and made with others has no consumer for those who know it as it was. */
  consumerOf(partition: number): string {
    const { key, partitions } = this.options;
    return key === null ? 'p0' : `p${partition}of${partitions}`;
  }

  lineOf(consumer: string): number {
    return Number.parseInt(consumer.slice(1), 10);
  }

  /** Stores an event, and says so to workers that have nothing to do. */
  async putEvent(
    partition: number,
    body: Uint8Array,
    headers: Readonly<Record<string, string>>,
    seconds?: number,
  ): Promise<PublishAck> {
    const ack = await this.jetstream.publish(this.eventSubject(partition), body, headers, seconds);
    if (this.options.key !== null) this.jetstream.broker.publish(this.hintSubject(partition), nothing);
    return ack;
  }

  /**
   * Makes what is missing.
   *
   * @param warn told what is lost for good
   * @throws QueueConfigError if the queue is there with other settings
   */
  async open(warn: (text: string) => void): Promise<void> {
    const { options, jetstream } = this;
    const before = await jetstream.stream(this.events);
    await this.#checkFixed(before);
    // Nothing is stored before all consumers are there.
    const hadConsumers = before !== null && before.state.last_seq > 0;
    let isRemade = false;
    const streams = this.#streams();
    // All before the first is made: one that is somebody else's leaves nothing behind.
    const there = await this.#asOurs(() => Promise.all(streams.map((config) => jetstream.ownStream(config))));
    for (const [i, config] of streams.entries()) await this.#asOurs(() => jetstream.ensureStream(config, there[i]));
    await Promise.all(
      Array.from({ length: options.partitions }, async (_, partition) => {
        const config = {
          filter_subject: this.eventSubject(partition),
          ack_wait: Math.round(options.ackWait * nanoseconds),
          max_deliver: -1,
          // One at a time is what keeps the order of a key.
          max_ack_pending: options.key === null ? 65_536 : 1,
          max_waiting: 16_384,
        };
        const missing = (): void => {
          if (hadConsumers) isRemade = this.#checkRepeatable(partition);
        };
        await jetstream.ensureConsumer(this.events, this.consumerOf(partition), config, missing);
      }),
    );
    if (isRemade) {
      warn(
        `${this.name}: a consumer was gone, and with it which events are done: they run again. Leave the consumers of ${this.events} alone.`,
      );
    }
  }

  #streams(): StreamConfig[] {
    const { options } = this;
    const limits = options.maxBytes === null ? {} : { max_bytes: options.maxBytes };
    const longest = Math.max(options.keep, day);
    return [
      {
        name: this.events,
        subjects: [this.allEvents],
        description: JSON.stringify(this.#fixed()),
        duplicate_window: Math.round(options.dedupeWindow * nanoseconds),
        discard: 'new',
        ...limits,
      },
      // A worker that dies right after an event was put there leaves it to the next one, after `ackWait` or much later.
      {
        name: this.dead,
        subjects: [this.deadSubject],
        duplicate_window: Math.round(Math.max(longest, 2 * options.ackWait) * nanoseconds),
      },
      {
        name: this.results,
        subjects: [this.resultSubject('*')],
        max_age: Math.round(options.keepResults * nanoseconds),
        max_msgs_per_subject: 1,
        // Of the same event may come another result, after a redrive.
        duplicate_window: Math.round(Math.min(0.1, options.keepResults) * nanoseconds),
      },
      {
        name: this.tries,
        subjects: [`${this.#root}.tries.*`],
        max_msgs_per_subject: 1,
        // Each try writes anew: what is older is of an event that is done.
        max_age: Math.round(longest * nanoseconds),
      },
    ];
  }

  async #asOurs<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (!(error instanceof StreamTakenError)) throw error;
      throw new QueueConfigError(
        `The queue ${this.name} can't be made: ${error.message}, of another queue or namespace. Choose another name.`,
        {},
        { cause: error },
      );
    }
  }

  /**
   * Drops events that are done and older than `keep`: the store's own limits would drop those that wait as well.
   *
   * @param keep seconds
   */
  async sweep(keep: number = this.options.keep): Promise<void> {
    const { jetstream, events } = this;
    const info = await jetstream.stream(events);
    if (info === null || info.state.messages === 0) return;
    const { first_seq: first, last_seq: last } = info.state;
    const firstOpen = await Promise.all(
      Array.from({ length: this.options.partitions }, async (_, partition) => {
        const consumer = await jetstream.consumer(events, this.consumerOf(partition));
        if (consumer.num_pending === 0 && consumer.num_ack_pending === 0) return last + 1;
        const from = consumer.ack_floor.stream_seq + 1;
        return (await jetstream.nextFrom(events, this.eventSubject(partition), from))?.sequence ?? last + 1;
      }),
    );
    const old = await this.firstSince(Date.now() - keep * 1000, first, last);
    const end = Math.min(...firstOpen, old);
    if (end > first) await jetstream.purge(events, { seq: end });
  }

  /** The sequence of the first event that was stored then or later; `last + 1` if none was. */
  async firstSince(epoch: number, first: number, last: number): Promise<number> {
    let [low, high] = [first, last + 1];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      const message = await this.jetstream.nextFrom(this.events, this.allEvents, middle);
      if (message === null || message.sequence >= high || Date.parse(message.time) >= epoch) high = middle;
      else low = message.sequence + 1;
    }
    return low;
  }

  async delete(): Promise<void> {
    for (const stream of [this.events, this.dead, this.results, this.tries]) await this.jetstream.deleteStream(stream);
  }

  /** With a consumer it is forgotten which events are done: that may repeat them. @throws QueueConfigError if they must not be */
  #checkRepeatable(partition: number): true {
    if (this.options.maxDeliver > 1) return true;
    throw new QueueConfigError(
      `The consumer ${this.consumerOf(partition)} of the stream ${this.events} is gone, and with it which events are done: with maxDeliver: 1 none may run twice. Read them with replay(), then delete the queue: await jobs.delete().`,
    );
  }

  #fixed(): FixedSettings {
    const { classes, key, partitions, dedupeWindow } = this.options;
    return { events: [...classes.keys()].sort(), keyed: key !== null, partitions, dedupeWindow };
  }

  async #checkFixed(info: StreamInfo | null): Promise<void> {
    if (info === null) return;
    const [there, here] = [readFixed(info.config.description), this.#fixed()];
    if (there === null) {
      throw new QueueConfigError(
        `The stream ${this.events} is there already, and no queue of threadbus. Choose another name.`,
      );
    }
    for (const name of ['events', 'keyed', 'partitions', 'dedupeWindow'] as const) {
      const [was, is] = [String(there[name]), String(here[name])];
      if (was === is) continue;
      const keys = (keyed: boolean): string => (keyed ? 'with a key' : 'without a key');
      const change =
        name === 'keyed'
          ? `was made ${keys(there.keyed)}, and is asked for ${keys(here.keyed)}`
          : `was made with ${name} ${was}, and is asked for with ${is}`;
      throw new QueueConfigError(
        `The queue ${this.name} ${change}. Use the same, another name, or delete it first: await jobs.delete().`,
      );
    }
  }
}

function readFixed(description: string | undefined): FixedSettings | null {
  try {
    const fixed = JSON.parse(description ?? '') as FixedSettings;
    return Array.isArray(fixed.events) ? fixed : null;
  } catch {
    return null;
  }
}

/** Whether the store has no room for more. */
export function isFull(error: unknown): boolean {
  return error instanceof JetStreamError && /maximum (?:bytes|messages) exceeded/.test(error.message);
}
