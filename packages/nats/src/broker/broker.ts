import { randomUUID } from 'node:crypto';
import { startTimer, subscription, whenAborted } from '@threadbus/core/internal';
import type { Subscription } from '@threadbus/core';
import { outsideContexts } from '@threadbus/link/internal';
import { NatsUnavailableError } from '../basics/errors.ts';
import { endsWithin } from '../basics/waits.ts';
import { loadedTransport, loadTransport, type TransportLibrary } from './client-library.ts';
import type { BrokerHeaders, BrokerMessage, NatsConnectionLike } from './connection.ts';
import { Departures, type Envelope } from './departures.ts';
import { KeepAlive } from './keep-alive.ts';
import { NoAnswerError, Requests } from './requests.ts';

/** Seconds for what was published to leave. */
const closeWithin = 2;
/** Seconds for the server to say that it is there. */
const flushWithin = 5;

/** Told of the connection. */
export interface BrokerWatcher {
  /** Packets can leave again. */
  restored?(): void;
  /** The connection is closed for good. */
  closed?(error: Error | undefined): void;
}

/** A connection to NATS, as everything else here uses it. */
export class Broker {
  readonly keepAlive: KeepAlive = new KeepAlive();
  readonly connection: NatsConnectionLike;
  readonly #owned: boolean;
  readonly #watchers = new Set<BrokerWatcher>();
  readonly #departures: Departures;
  /** Made with the first question. */
  #requests: Requests | null = null;
  /** Events that somebody waits for to be stored. */
  storing = 0;
  #isUp = true;
  #cuts = 0;

  /** @param owned whether closing it is ours to do */
  constructor(connection: NatsConnectionLike, owned: boolean) {
    this.connection = connection;
    this.#owned = owned;
    this.#departures = new Departures(connection, () => this.isUp);
    if (owned) this.keepAlive.release(connection);
    outsideContexts(() => void this.#watchStatus());
    void connection.closed().then((error) => this.#closed(error ?? undefined));
  }

  /** False while the server is away: what is published then may never arrive, and is not published. */
  get isUp(): boolean {
    return this.#isUp && !this.connection.isClosed();
  }

  get isClosed(): boolean {
    return this.connection.isClosed();
  }

  /** How often the server went away. */
  get cuts(): number {
    return this.#cuts;
  }

  /** The server is one of several that keep streams together. */
  get isCluster(): boolean {
    return this.connection.info?.cluster !== undefined;
  }

  /** Bytes of a message at most. */
  get maxPayload(): number {
    return this.connection.info?.max_payload ?? 1_048_576;
  }

  watch(watcher: BrokerWatcher): Subscription {
    this.#watchers.add(watcher);
    return subscription(() => this.#watchers.delete(watcher));
  }

  /** Leaves with what else this turn has to say. */
  publish(subject: string, payload: Uint8Array, reply?: string): void {
    this.#send(subject, payload, reply === undefined ? {} : { reply });
  }

  /** Leaves with the next message, or some milliseconds from now: nobody waits for it. */
  publishLater(subject: string, payload: Uint8Array): void {
    if (this.isUp) this.#departures.sendLater(subject, payload);
  }

  /** Leaves by itself: packets of sessions, which gather on their own. */
  publishAlone(subject: string, payload: Uint8Array): void {
    if (this.isUp) this.connection.publish(subject, payload);
  }

  /**
   * @param queue with others of that queue: each message goes to one of them
   * @throws NatsUnavailableError if the connection is closed
   */
  subscribe(subject: string, onMessage: (message: BrokerMessage) => void, queue?: string): Subscription {
    const callback = (error: Error | null, message: BrokerMessage): void => {
      if (error === null) onMessage(message);
    };
    this.checkOpen();
    const made = outsideContexts(() =>
      this.connection.subscribe(subject, queue === undefined ? { callback } : { callback, queue }),
    );
    return subscription(() => {
      if (!this.connection.isClosed()) made.unsubscribe();
    });
  }

  /** A subject for answers to this process, which nobody else has. */
  newInbox(): string {
    const { inboxPrefix = '_INBOX' } = (this.connection as { options?: { inboxPrefix?: string } }).options ?? {};
    return `${inboxPrefix}.threadbus.${randomUUID()}`;
  }

  /**
   * Asks whoever listens, once the server is there.
   *
   * @throws NoRespondersError at once; NoAnswerError when nothing has come in time; NatsUnavailableError if the
   *   connection is closed, or the server doesn't allow it
   */
  async request(
    subject: string,
    payload: Uint8Array,
    seconds: number,
    headers?: Readonly<Record<string, string>>,
  ): Promise<BrokerMessage> {
    this.checkOpen();
    if (!this.isUp && !(await this.whenUp(seconds))) {
      this.checkOpen();
      throw new NoAnswerError(`No NATS server was there for ${roundSeconds(seconds)} s.`);
    }
    const given = headers && { headers: makeHeaders(loadedTransport() ?? (await loadTransport()), headers) };
    this.#requests ??= this.#listen();
    return this.#requests.ask(subject, seconds, (reply, failed) =>
      this.#send(subject, payload, { reply, failed, ...given }),
    );
  }

  /**
   * Asks all who listen.
   *
   * @param onAnswer may say that it has heard enough
   * @returns when it has, when nobody listens, or when the time is up and the server has passed the question on
   * @throws NatsUnavailableError if the server isn't there: then nobody is asked
   */
  async askAll(
    subject: string,
    payload: Uint8Array,
    seconds: number,
    onAnswer: (answer: Uint8Array) => 'enough' | void,
  ): Promise<void> {
    if (!(await this.whenUp(flushWithin))) this.#throwAway();
    const inbox = this.newInbox();
    const cuts = this.#cuts;
    let hasEnough = (): void => undefined;
    const enough = new Promise<void>((resolve) => {
      hasEnough = resolve;
    });
    const answers = this.subscribe(inbox, ({ data, headers }) => {
      const nobody = data.length === 0 && headers?.code === 503;
      if (nobody || onAnswer(data) === 'enough') hasEnough();
    });
    try {
      this.publish(subject, payload, inbox);
      const passedOn = this.flush();
      passedOn.catch(() => undefined);
      if (await endsWithin(enough, performance.now() + seconds * 1000, undefined)) return;
      await passedOn;
      if (this.#cuts !== cuts) this.#throwAway();
    } finally {
      answers();
    }
  }

  /** Waits until the server is there. @returns false if it isn't in time @throws the signal's reason */
  async whenUp(seconds: number, signal?: AbortSignal): Promise<boolean> {
    signal?.throwIfAborted();
    if (this.isUp) return true;
    if (this.isClosed) return false; // it was told before, and isn't told again
    const ends: (() => void)[] = [];
    try {
      return await new Promise<boolean>((resolve, reject) => {
        const timer = startTimer(seconds, () => resolve(false), true);
        ends.push(() => timer.cancel());
        ends.push(this.watch({ restored: () => resolve(true), closed: () => resolve(false) }));
        if (signal !== undefined) ends.push(whenAborted(signal, () => reject(signal.reason as Error)));
      });
    } finally {
      for (const end of ends) end();
    }
  }

  /**
   * Everything that was published before has reached the server, and is subscribed there; or the server is away.
   *
   * @throws NatsUnavailableError if it says nothing
   */
  async flush(): Promise<void> {
    if (!this.isUp) return;
    this.#departures.leave();
    // What a closed connection has to say is told elsewhere.
    const flushed = this.connection.flush().catch(() => undefined);
    if (!(await endsWithin(flushed, performance.now() + flushWithin * 1000, undefined))) this.#throwAway();
  }

  /** @throws NatsUnavailableError if the connection is closed for good */
  checkOpen(): void {
    if (this.isClosed) throw new NatsUnavailableError('This net is closed. Make another: await connectNats(…).');
  }

  async close(): Promise<void> {
    if (this.connection.isClosed()) return;
    this.#departures.leave();
    if (!this.#owned) return;
    // What was published leaves first, if the server still takes it.
    const until = performance.now() + closeWithin * 1000;
    if (this.#isUp)
      await endsWithin(
        this.connection.drain().catch(() => undefined),
        until,
        undefined,
      );
    if (!this.connection.isClosed()) await this.connection.close();
  }

  #send(subject: string, payload: Uint8Array, envelope: Envelope): void {
    if (this.isUp) this.#departures.send(subject, payload, envelope);
  }

  #listen(): Requests {
    const inbox = this.newInbox();
    const requests = new Requests(inbox);
    this.subscribe(`${inbox}.*`, (message) => requests.heard(message));
    return requests;
  }

  /** A question, or the answers to all of them, may be what the server doesn't allow. */
  #refused(cause: Error): void {
    const { subject = '', operation = '' } = cause as { subject?: string; operation?: string };
    const error = new NatsUnavailableError(
      `NATS does not allow it: ${cause.message}. Give this client's user that permission.`,
      {},
      { cause },
    );
    if (operation === 'publish') this.#requests?.refuse(error, subject);
    else if (this.#requests?.hears(subject) === true) this.#requests.refuse(error);
  }

  async #watchStatus(): Promise<void> {
    for await (const status of this.connection.status()) {
      const { type } = status;
      if (type === 'error') this.#refused((status as unknown as { error: Error }).error);
      if (type === 'disconnect') {
        this.#isUp = false;
        this.#cuts += 1;
      }
      if (type !== 'reconnect') continue;
      this.#isUp = true;
      if (this.#owned) this.keepAlive.release(this.connection);
      for (const watcher of [...this.#watchers]) watcher.restored?.();
    }
  }

  #throwAway(): never {
    this.checkOpen();
    throw new NatsUnavailableError('The NATS server does not answer. Try again once it is back.');
  }

  #closed(error: Error | undefined): void {
    this.#isUp = false;
    this.#requests?.refuse(new NatsUnavailableError('The net was closed.', {}, error && { cause: error }));
    for (const watcher of [...this.#watchers]) watcher.closed?.(error);
    this.#watchers.clear();
  }
}

function makeHeaders(library: TransportLibrary, values: Readonly<Record<string, string>>): BrokerHeaders {
  const made = library.headers();
  for (const [name, value] of Object.entries(values)) made.set(name, value);
  return made;
}

/** As it is shown. */
function roundSeconds(seconds: number): number {
  return Math.round(seconds * 100) / 100;
}
