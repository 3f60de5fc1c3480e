import { type Logger } from '@threadbus/core';
import { checkOptions, checkSize, checkWait, startTimer } from '@threadbus/core/internal';
import { whenBroken } from '../basics/bus-failure.ts';
import { isQueueConfigError, NatsUnavailableError, QueueUnavailableError } from '../basics/errors.ts';
import { endsWithin, pause } from '../basics/waits.ts';
import type { Delivered } from '../jetstream/delivered.ts';
import { Asked } from './asked.ts';
import { Delivery, type WorkBus } from './delivery.ts';
import { Idle } from './idle.ts';
import { type PullEnd, Pulls } from './pulls.ts';
import type { QueueStore } from './queue-store.ts';

/** Options of `jobs.work`. */
export interface WorkOptions {
  /** Events that run at a time in this crew. @default 1 */
  readonly concurrency?: number | undefined;
}

/** Options of `crew.close`. */
export interface CrewCloseOptions {
  /** Seconds to wait for what runs. @default 30 */
  readonly timeout?: number | null | undefined;
}

/** Seconds that a request waits at the store: so long, and a little more, a crew may not know that its consumer is gone. */
const longestPull = 5;
/** The same, when there are more lines than places: so long one line keeps a place from the others. */
const shortPull = 1;
/** Seconds beyond, after which a request without an answer was lost. */
const pullGrace = 2;
/** Seconds between two sweeps of what is done and old. */
const sweepEvery = 600;
/** Seconds for messages that are on their way to a crew that closes. */
const lastMessages = 0.1;
/** Seconds until a server that is killed still knows what was acknowledged. */
const lastAcks = 0.3;
/** Seconds for events that weren't started to be given back. */
const givingBack = 2;

/**
 * Runs a queue's events on a bus, so many at a time, until it is closed.
 *
 * A place is running, or asking a line for its next event, or free. With keys a line has one event out at a time,
 * wherever it runs, so a line that was asked isn't asked again before the answer. As long as there are fewer places
 * than lines, places go from line to line: at once while there is anything to be had, then once a second; a line in which
 * something is stored is asked at once, also beyond the free places, since those may wait at lines that have nothing.
 *
 * However many lines there are, a crew has and asks for at most twice as many events as it has places: what it keeps
 * without running it, no other worker can have.
 *
 * @example
 * ```ts
 * await using crew = jobs.work(bus, { concurrency: 8 });
 * const error = await crew.failed;   // null once it is closed
 * ```
 */
export class Crew implements AsyncDisposable {
  readonly #store: QueueStore;
  readonly #bus: WorkBus;
  readonly #logger: Logger;
  readonly #concurrency: number;
  readonly #pulls: Pulls;
  readonly #keepAlive: (needed: boolean) => void;
  readonly #asking = new Asked();
  readonly #running = new Map<Delivery, number>();
  readonly #handlerless = new Set<string>();
  /** Came while all places were taken; they are kept until one is free. */
  readonly #kept: { readonly message: Delivered; readonly line: number }[] = [];
  /** While something is here. */
  #renewing: NodeJS.Timeout | null = null;
  readonly #ends: (() => void)[] = [];
  #line = 0;
  /** Lines in which something was stored, to be asked beyond the free places. */
  readonly #told = new Set<number>();
  #asksSoon = false;
  /** Answers in a row that there was nothing. */
  #none = 0;
  #state: 'working' | 'closing' | 'closed' = 'working';
  readonly #idle = new Idle();
  #finishing: Promise<void> | null = null;
  #mending: Promise<void> | null = null;
  #settleFailed: (error: Error | null) => void = () => undefined;
  /** Resolves to why the crew can't go on, such as a queue that was deleted; to null when it is closed. Never rejects. */
  readonly failed: Promise<Error | null>;

  /** @internal */
  constructor(store: QueueStore, bus: WorkBus, logger: Logger, options: WorkOptions) {
    checkOptions('work', options, ['concurrency']);
    const { concurrency = 1 } = options;
    const places = checkSize('concurrency', concurrency);
    if (places === 0) throw new RangeError('Expected concurrency to be a whole number from 1 up; got 0.');
    const { broker } = store.jetstream;
    broker.checkOpen();
    this.#store = store;
    this.#bus = bus;
    this.#logger = logger;
    this.#concurrency = places ?? 1024;
    this.failed = new Promise((resolve) => {
      this.#settleFailed = resolve;
    });
    this.#keepAlive = broker.keepAlive.holder();
    this.#keepAlive(true);
    this.#pulls = new Pulls(broker, {
      delivered: (message) => this.#delivered(message),
      ended: (token, end) => this.#ended(token, end),
    });
    this.#ends.push(
      broker.watch({
        restored: () => this.#askAgain(),
        closed: () => this.#fail(new NatsUnavailableError('The net was closed.')),
      }),
    );
    // Without keys there is one line, which is asked as long as there is a place.
    if (store.options.key !== null) {
      const hinted = ({ subject }: { readonly subject: string }): void =>
        this.#stored(Number(subject.slice(subject.lastIndexOf('.') + 1)));
      this.#ends.push(broker.subscribe(store.hintSubject('*'), hinted));
    }
    const sweeping = setInterval(() => void store.sweep().catch(() => undefined), sweepEvery * 1000).unref();
    this.#ends.push(() => clearInterval(sweeping));
    // A bus that takes nothing any more has nothing to be given.
    this.#ends.push(whenBroken(bus, (error) => this.#fail(error)));
    if (this.#state === 'working') this.#ask();
  }

  /** How many events run at this moment. */
  get running(): number {
    return this.#running.size;
  }

  /** Lets the process end although the crew works. @throws nothing @example crew.unref(); */
  unref(): void {
    this.#keepAlive(false);
  }

  /**
   * Takes no more events, and waits for those that run; what is left when the time is up goes to other workers.
   *
   * @throws TypeError, RangeError for options that make no sense
   * @example
   * ```ts
   * process.once('SIGTERM', () => crew.close({ timeout: 10 }));
   * ```
   */
  async close(options: CrewCloseOptions = {}): Promise<void> {
    checkOptions('close', options, ['timeout']);
    const timeout = checkWait('timeout (seconds)', options.timeout === undefined ? 30 : options.timeout);
    if (this.#isClosed) return;
    this.#state = 'closing';
    for (const { message } of this.#kept.splice(0)) message.giveBack(0);
    for (const delivery of this.#running.keys()) if (!delivery.hasStarted) void delivery.abandon();
    if (this.#running.size > 0) await this.#idle.wait(timeout);
    if (!this.#isClosed) await (this.#finishing ??= this.#finish());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  get #isClosed(): boolean {
    return this.#state === 'closed';
  }

  async #finish(): Promise<void> {
    const { jetstream, attempts } = this.#store;
    const { broker } = jetstream;
    const givenBack = Promise.all([...this.#running.keys()].map((delivery) => delivery.abandon()));
    await endsWithin(givenBack, performance.now() + givingBack * 1000, undefined);
    await broker.flush().catch(() => undefined);
    // An answer to what was asked may be on its way: it is given back.
    const wait = attempts.hasDone ? lastAcks : this.#asking.size > 0 ? lastMessages : 0;
    if (wait > 0) await pause(wait);
    attempts.flush();
    await broker.flush().catch(() => undefined);
    this.#end(null);
  }

  #ask(): void {
    if (this.#store.options.key === null) {
      // As long as more than half of the free places are asked for, a request for the others can wait for more of them.
      const free = this.#free;
      if (free > 0 && free >= this.#asking.left) this.#pull(0, free);
      return;
    }
    const lines = this.#store.options.partitions;
    for (let tried = 0; tried < lines && this.#free > 0; tried += 1) {
      const line = this.#line % lines;
      this.#line += 1;
      if (!this.#isOut(line)) this.#pull(line, 1);
    }
    this.#askTold();
  }

  /** Places that get free in one turn ask together. */
  #askSoon(): void {
    if (this.#asksSoon) return;
    if (this.#running.size === 0) return this.#ask();
    this.#asksSoon = true;
    setImmediate(() => {
      this.#asksSoon = false;
      this.#ask();
    });
  }

  get #free(): number {
    if (this.#state !== 'working') return 0;
    return this.#concurrency - this.#running.size - this.#asking.left - this.#kept.length;
  }

  /** The line was asked, or an event of it is here. */
  #isOut(line: number): boolean {
    if (this.#asking.isOut(line)) return true;
    for (const running of this.#running.values()) if (running === line) return true;
    return this.#kept.some((kept) => kept.line === line);
  }

  #pull(line: number, count: number): void {
    const { events, options, jetstream } = this.#store;
    if (!jetstream.broker.isUp) return;
    const isDry = this.#none >= options.partitions;
    const seconds = this.#concurrency >= options.partitions ? longestPull : isDry ? shortPull : 0;
    const token = this.#pulls.pull(events, this.#store.consumerOf(line), count, seconds);
    // A consumer that is gone doesn't answer.
    const lost = startTimer(seconds + pullGrace, () => this.#ended(token, 'gone'), false);
    this.#asking.add(token, line, count, lost);
  }

  /** Something was stored there: no need to wait until the places come round. */
  #stored(line: number): void {
    this.#none = 0;
    this.#told.add(line);
    this.#askTold();
  }

  #askTold(): void {
    for (const line of this.#told) {
      const here = this.#running.size + this.#kept.length;
      const isFull = here >= this.#concurrency || here + this.#asking.left >= 2 * this.#concurrency;
      if (isFull || this.#state !== 'working') return;
      this.#told.delete(line);
      if (!this.#isOut(line)) this.#pull(line, 1);
    }
  }

  /** What was asked before the server went away is not answered any more. */
  #askAgain(): void {
    this.#asking.clear();
    this.#ask();
  }

  #delivered(message: Delivered): void {
    const line = this.#store.lineOf(message.consumer);
    this.#none = 0;
    this.#asking.came(line);
    if (this.#state !== 'working') {
      message.giveBack(0);
      return;
    }
    const third = (this.#store.options.ackWait * 1000) / 3;
    this.#renewing ??= setInterval(() => this.#renew(), third).unref();
    if (this.#running.size < this.#concurrency) void this.#run(message, line);
    else this.#kept.push({ message, line });
    if (this.#store.options.key !== null) this.#askTold();
    else if (this.#free > 0) this.#askSoon();
  }

  /** The store is told three times in `ackWait` of what is here. */
  #renew(): void {
    for (const delivery of this.#running.keys()) delivery.working();
    for (const { message } of this.#kept) message.working();
    if (this.#running.size + this.#kept.length === 0) this.#endRenewing();
  }

  #endRenewing(): void {
    if (this.#renewing !== null) clearInterval(this.#renewing);
    this.#renewing = null;
  }

  #ended(token: string, end: PullEnd): void {
    if (!this.#asking.take(token) || this.#state !== 'working') return;
    this.#none += 1;
    if (end === 'none') this.#ask();
    else void this.#checkThere();
  }

  /** The consumer says that it is gone, or nobody answers: for good, or until the server is up again. */
  async #checkThere(): Promise<void> {
    const { jetstream, events, name } = this.#store;
    try {
      if ((await jetstream.stream(events)) === null) {
        this.#fail(new QueueUnavailableError(`The queue ${name} was deleted.`, name));
        return;
      }
      await this.#store.open((text) => this.#logger.warn(text));
    } catch (error) {
      if (isQueueConfigError(error)) {
        this.#fail(error);
        return;
      }
      await pause(0.5);
    }
    if (this.#state === 'working') this.#ask();
  }

  /** A stream of the queue doesn't answer; all that need it wait for the same. */
  #mend(): Promise<void> {
    this.#mending ??= this.#checkThere().finally(() => {
      this.#mending = null;
    });
    return this.#mending;
  }

  async #run(message: Delivered, line: number): Promise<void> {
    const host = {
      bus: this.#bus,
      store: this.#store,
      handlerless: this.#handlerless,
      warn: (text: string) => this.#logger.warn(text),
      mend: () => this.#mend(),
      broken: (error: Error) => this.#fail(error),
    };
    const delivery = new Delivery(host, message);
    this.#running.set(delivery, line);
    await delivery.run();
    this.#running.delete(delivery);
    if (this.#running.size === 0) this.#idle.tell();
    if (this.#state !== 'working') return;
    const kept = this.#kept.shift();
    if (kept === undefined) this.#askSoon();
    else void this.#run(kept.message, kept.line);
  }

  #fail(error: Error): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'working') this.#logger.error(`The crew of ${this.#store.name} can't go on: ${error.message}`);
    for (const delivery of this.#running.keys()) void delivery.abandon();
    this.#end(error);
  }

  #end(error: Error | null): void {
    this.#state = 'closed';
    for (const end of this.#ends) end();
    this.#endRenewing();
    this.#asking.clear();
    this.#pulls.close();
    this.#keepAlive(false);
    this.#idle.tell();
    this.#settleFailed(error);
  }
}
