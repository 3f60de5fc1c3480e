import type { Broker } from '../broker/broker.ts';
import { NoAnswerError, NoRespondersError } from '../broker/requests.ts';
import { NatsUnavailableError } from '../basics/errors.ts';
import { pause } from '../basics/waits.ts';
import type { BrokerMessage } from '../broker/connection.ts';
import {
  JetStreamError,
  noMessage,
  noPeers,
  StreamTakenError,
  streamInUse,
  subjectsOverlap,
} from './jetstream-error.ts';
import { type ApiMessage, readApi, readDirect, type StoredMessage } from './stored-message.ts';

/** Seconds for the store to answer. */
const patience = 5;
/** Seconds for a stream itself to answer, after which it is looked for. */
const soon = 0.25;
/** The same for one that may be about to be made: at first, each time doubled. */
const atOnce = 0.02;

const nothing = Buffer.alloc(0);

/** Of all streams here. */
const ofFiles = { retention: 'limits', storage: 'file' };

/** Servers of a cluster that keep a stream: one of them may be lost. */
const replicas = 3;

export interface StreamInfo {
  readonly config: StreamConfig;
  readonly state: { readonly messages: number; readonly first_seq: number; readonly last_seq: number };
}

/** Of a stream's settings, those that are used; durations are nanoseconds. */
export interface StreamConfig {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly description?: string;
  readonly max_age?: number;
  readonly max_bytes?: number;
  readonly max_msgs_per_subject?: number;
  readonly duplicate_window?: number;
  readonly discard?: 'old' | 'new';
  readonly deny_delete?: boolean;
  readonly allow_rollup_hdrs?: boolean;
  /** It answers questions for its messages itself. */
  readonly allow_direct?: boolean;
  /** Servers of a cluster that keep it. */
  readonly num_replicas?: number;
}

export interface ConsumerInfo {
  readonly config: Readonly<Record<string, unknown>>;
  readonly num_pending: number;
  readonly num_ack_pending: number;
  readonly ack_floor: { readonly stream_seq: number };
}

export interface PublishAck {
  readonly sequence: number;
  readonly duplicate: boolean;
}

/**
 * The part of JetStream's API that queues and limits use, as requests with JSON.
 *
 *   none ──somebody makes it──▶ named ──its files are there, it listens──▶ ready
 *
 * The server speaks of a stream as soon as it is named. What is published to it then is lost, and a question for a
 * message of it, or its removal, ends a server of version 2.9 with all that hang on it; and many make a stream at one
 * moment, when they come back to a server that has lost its disk, for instance. So nobody uses a stream before
 * `ensureStream` has heard from the stream itself; and messages are read from the stream, which answers when it can.
 */
export class JetStream {
  readonly broker: Broker;

  constructor(broker: Broker) {
    this.broker = broker;
  }

  /**
   * Makes a stream, or brings the one that is there up to date; one that is as wanted is left alone. In a cluster three
   * servers keep it, if there are as many; what its owner has made of that later stays.
   *
   * @param known what `ownStream` has just said; asked for if it isn't given
   * @returns once it can be used
   */
  async ensureStream(config: StreamConfig, known?: StreamInfo | null): Promise<StreamInfo> {
    const wanted = { allow_direct: true, ...config };
    const found = known === undefined ? await this.ownStream(config) : known;
    const there = found ?? (await this.#makeStream(wanted));
    checkOwn(there, config);
    await this.#whenReady(there.config);
    if (isSame(there.config as unknown as Record<string, unknown>, wanted)) return there;
    const { num_replicas: kept = 1 } = there.config;
    return this.ask<StreamInfo>(`STREAM.UPDATE.${config.name}`, { ...ofFiles, ...wanted, num_replicas: kept });
  }

  /** The stream as it is. @returns null if there is none @throws StreamTakenError if it is somebody else's */
  async ownStream(config: StreamConfig): Promise<StreamInfo | null> {
    const there = await this.stream(config.name);
    if (there !== null) checkOwn(there, config);
    return there;
  }

  /** @returns null if there is none */
  async stream(name: string): Promise<StreamInfo | null> {
    return this.#orNull(this.ask<StreamInfo>(`STREAM.INFO.${name}`));
  }

  async deleteStream(name: string): Promise<void> {
    await this.#orNull(this.ask(`STREAM.DELETE.${name}`));
  }

  /**
   * Makes a consumer, or brings the one that is there up to date.
   *
   * One that is as wanted is left alone: an update, even to the same, makes the server (2.9) forget how often messages
   * that are out were delivered.
   *
   * @param missing told if there is none; may refuse to have one made
   */
  async ensureConsumer(
    stream: string,
    name: string,
    config: Readonly<Record<string, unknown>>,
    missing: () => void,
  ): Promise<void> {
    const there = await this.#orNull(this.ask<ConsumerInfo>(`CONSUMER.INFO.${stream}.${name}`));
    if (there === null) missing();
    if (there !== null && isSame(there.config, config)) return;
    await this.ask(`CONSUMER.DURABLE.CREATE.${stream}.${name}`, {
      stream_name: stream,
      config: { durable_name: name, ack_policy: 'explicit', deliver_policy: 'all', ...config },
    });
  }

  /** @throws JetStreamError */
  async consumer(stream: string, name: string): Promise<ConsumerInfo> {
    return this.ask<ConsumerInfo>(`CONSUMER.INFO.${stream}.${name}`);
  }

  /** The last message of a subject. @returns null if there is none */
  async lastOf(stream: string, subject: string): Promise<StoredMessage | null> {
    return this.#message(stream, { last_by_subj: subject });
  }

  /** The first message from that sequence on. @returns null if there is none */
  async nextFrom(stream: string, subject: string, sequence: number): Promise<StoredMessage | null> {
    return this.#message(stream, { seq: sequence, next_by_subj: subject });
  }

  /** One that is gone already does no harm. */
  async deleteMessage(stream: string, sequence: number): Promise<void> {
    try {
      await this.#orNull(this.ask(`STREAM.MSG.DELETE.${stream}`, { seq: sequence, no_erase: true }));
    } catch (error) {
      if (!(error instanceof JetStreamError) || error.number !== noMessage) throw error;
    }
  }

  /** Forgets the messages below a sequence. */
  async purge(stream: string, which: { readonly seq: number }): Promise<void> {
    await this.#orNull(this.ask(`STREAM.PURGE.${stream}`, which));
  }

  /** @returns once it is stored @throws JetStreamError; an error of the client */
  async publish(
    subject: string,
    data: Uint8Array,
    headers: Readonly<Record<string, string>>,
    seconds: number = patience,
  ): Promise<PublishAck> {
    const { seq, duplicate = false } = await this.#request<{ seq: number; duplicate?: boolean }>(
      subject,
      data,
      seconds,
      headers,
    );
    return { sequence: seq, duplicate };
  }

  /** As `ask`, without waiting for the answer. */
  tell(call: string, body: unknown): void {
    this.broker.publish(`$JS.API.${call}`, Buffer.from(JSON.stringify(body)));
  }

  /** @throws JetStreamError; an error of the client */
  async ask<T>(call: string, body?: unknown): Promise<T> {
    const text = body === undefined ? '' : JSON.stringify(body);
    return this.#request<T>(`$JS.API.${call}`, Buffer.from(text), patience);
  }

  /** @returns the stream, which another may have made at the same moment */
  async #makeStream(wanted: StreamConfig): Promise<StreamInfo> {
    const { isCluster } = this.broker;
    const make = (count: number): Promise<StreamInfo> =>
      this.ask<StreamInfo>(`STREAM.CREATE.${wanted.name}`, { ...ofFiles, ...wanted, num_replicas: count });
    try {
      return await make(isCluster ? replicas : 1);
    } catch (error) {
      if (!(error instanceof JetStreamError)) throw error;
      if (error.number === noPeers && isCluster) return make(1);
      const made =
        error.number === streamInUse || error.number === subjectsOverlap ? await this.stream(wanted.name) : null;
      if (made === null) throw error;
      return made;
    }
  }

  /** One that can't be asked itself was made by somebody else, long ago. */
  async #whenReady({ name, allow_direct: answers = false }: StreamConfig): Promise<void> {
    if (!answers) return;
    const until = performance.now() + patience * 1000;
    for (let seconds = atOnce; ; seconds *= 2) {
      // Any answer will do, also that this is no question.
      if ((await this.#askStream(name, nothing, seconds)) !== null) return;
      if (performance.now() > until) throw new NatsUnavailableError(`The stream ${name} does not answer.`);
    }
  }

  async #message(stream: string, which: unknown): Promise<StoredMessage | null> {
    // Of several copies only the leader's is sure to have what was stored last, and only the server asks that one.
    if (!this.broker.isCluster) {
      const answer = await this.#askStream(stream, Buffer.from(JSON.stringify(which)), soon);
      if (answer !== null) return readDirect(answer);
      const there = await this.stream(stream);
      if (there === null) return null;
      await this.#whenReady(there.config);
    }
    const found = await this.#orNull(this.ask<ApiMessage>(`STREAM.MSG.GET.${stream}`, which));
    return found === null ? null : readApi(found);
  }

  /** @returns null if nobody answers: there is no such stream, or not yet, or it has much to do */
  async #askStream(stream: string, question: Uint8Array, seconds: number): Promise<BrokerMessage | null> {
    try {
      return await this.broker.request(`$JS.API.DIRECT.GET.${stream}`, question, seconds);
    } catch (error) {
      if (error instanceof NoRespondersError) await pause(seconds);
      else if (!(error instanceof NoAnswerError)) throw error;
      return null;
    }
  }

  async #request<T>(
    subject: string,
    data: Uint8Array,
    seconds: number,
    headers?: Readonly<Record<string, string>>,
  ): Promise<T> {
    let answer: BrokerMessage;
    try {
      answer = await this.broker.request(subject, data, seconds, headers);
    } catch (error) {
      if (!(error instanceof NoRespondersError)) throw error;
      throw new NatsUnavailableError(
        'The NATS server keeps nothing: start it with JetStream, `nats-server -js`.',
        {},
        { cause: error },
      );
    }
    const value = JSON.parse(Buffer.from(answer.data).toString()) as T & { error?: { code: number } };
    if (value.error !== undefined) throw new JetStreamError(value.error);
    return value;
  }

  async #orNull<T>(asked: Promise<T>): Promise<T | null> {
    try {
      return await asked;
    } catch (error) {
      if (error instanceof JetStreamError && error.status === 404) return null;
      throw error;
    }
  }
}

/** What is wanted is what is there; the server adds more of its own. */
function isSame(there: Readonly<Record<string, unknown>>, wanted: object): boolean {
  return Object.entries(wanted).every(([key, value]) => JSON.stringify(there[key]) === JSON.stringify(value));
}

function checkOwn(there: StreamInfo, { name, subjects: wanted }: StreamConfig): void {
  const { subjects = [] } = there.config as Partial<StreamConfig>;
  if (!wanted.some((subject) => subjects.includes(subject))) throw new StreamTakenError(name, subjects);
}
