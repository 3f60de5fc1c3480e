import type { Broker } from '../broker/broker.ts';
import { NoRespondersError } from '../broker/broker.ts';
import { NatsUnavailableError } from '../basics/errors.ts';

/** Seconds for the store to answer. */
const patience = 5;

/** What the store has refused. */
export class JetStreamError extends Error {
  /** As of HTTP: 404 for what there is none of. */
  readonly status: number;
  /** The store's own number for the case. */
  readonly number: number;

  constructor({
    code = 0,
    err_code = 0,
    description = 'refused',
  }: {
    code?: number;
    err_code?: number;
    description?: string;
  }) {
    super(description);
    this.status = code;
    this.number = err_code;
  }
}

/** Numbers of the store's errors that are told apart. */
export const wrongSequence = 10071;
const streamInUse = 10058;
/** In a cluster that has not as many servers with a store, or room in them. */
const noPeers = 10005;

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
  /** Servers of a cluster that keep it. */
  readonly num_replicas?: number;
}

export interface ConsumerInfo {
  readonly config: Readonly<Record<string, unknown>>;
  readonly num_pending: number;
  readonly num_ack_pending: number;
  readonly ack_floor: { readonly stream_seq: number };
}

export interface StoredMessage {
  readonly subject: string;
  readonly sequence: number;
  readonly data: Buffer;
  readonly headers: ReadonlyMap<string, string>;
  /** ISO 8601, by the server's clock. */
  readonly time: string;
}

export interface PublishAck {
  readonly sequence: number;
  readonly duplicate: boolean;
}

/** The part of JetStream's API that queues and limits use, as requests with JSON. */
export class JetStream {
  readonly broker: Broker;

  constructor(broker: Broker) {
    this.broker = broker;
  }

  /**
   * Makes a stream, or brings the one that is there up to date; one that is as wanted is left alone. In a cluster three
   * servers keep it, if there are as many; what its owner has made of that later stays.
   */
  async ensureStream(config: StreamConfig): Promise<StreamInfo> {
    const there = await this.stream(config.name);
    if (there !== null && isSame(there.config as unknown as Record<string, unknown>, config)) return there;
    const isCluster = this.broker.isCluster && there === null;
    const whole = { retention: 'limits', storage: 'file', num_replicas: isCluster ? replicas : 1, ...config };
    try {
      return await this.ask<StreamInfo>(`STREAM.CREATE.${config.name}`, whole);
    } catch (error) {
      if (!(error instanceof JetStreamError)) throw error;
      if (error.number === noPeers && isCluster) {
        return this.ask<StreamInfo>(`STREAM.CREATE.${config.name}`, { ...whole, num_replicas: 1 });
      }
      if (error.number !== streamInUse) throw error;
      const { num_replicas: kept = 1 } = (there ?? (await this.stream(config.name)))?.config ?? {};
      return this.ask<StreamInfo>(`STREAM.UPDATE.${config.name}`, { ...whole, num_replicas: kept });
    }
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
   */
  async ensureConsumer(stream: string, name: string, config: Readonly<Record<string, unknown>>): Promise<void> {
    const there = await this.#orNull(this.ask<ConsumerInfo>(`CONSUMER.INFO.${stream}.${name}`));
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

  async deleteMessage(stream: string, sequence: number): Promise<void> {
    await this.#orNull(this.ask(`STREAM.MSG.DELETE.${stream}`, { seq: sequence, no_erase: true }));
  }

  /** Forgets all messages of a subject, or those below a sequence. */
  async purge(stream: string, which: { readonly filter: string } | { readonly seq: number }): Promise<void> {
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

  async #message(stream: string, which: unknown): Promise<StoredMessage | null> {
    interface Raw {
      readonly message: { subject: string; seq: number; data?: string; hdrs?: string; time: string };
    }
    const found = await this.#orNull(this.ask<Raw>(`STREAM.MSG.GET.${stream}`, which));
    if (found === null) return null;
    const { subject, seq, data = '', hdrs = '', time } = found.message;
    const headers = readHeaders(Buffer.from(hdrs, 'base64').toString());
    return { subject, sequence: seq, data: Buffer.from(data, 'base64'), headers, time };
  }

  async #request<T>(
    subject: string,
    data: Uint8Array,
    seconds: number,
    headers?: Readonly<Record<string, string>>,
  ): Promise<T> {
    let answer: Uint8Array;
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
    const value = JSON.parse(Buffer.from(answer).toString()) as T & { error?: { code: number } };
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

/** `NATS/1.0\r\nName: value\r\n…` */
function readHeaders(text: string): ReadonlyMap<string, string> {
  const lines = text.split('\r\n').slice(1);
  return new Map(
    lines.flatMap((line): [string, string][] => {
      const colon = line.indexOf(':');
      return colon < 0 ? [] : [[line.slice(0, colon), line.slice(colon + 1).trim()]];
    }),
  );
}
