import { type BaseEvent, EventBus, type EventConstructor } from '@threadbus/core';
import { busEngine, defaultLogger } from '@threadbus/core/internal';
import type { BusReference } from '@threadbus/link';
import { NatsUnavailableError } from './basics/errors.ts';
import { checkName, checkPlainName } from './basics/names.ts';
import type { Broker } from './broker/broker.ts';
import { Subjects } from './broker/subjects.ts';
import { JetStream } from './jetstream/jetstream.ts';
import { NatsSemaphore, type Remembered } from './limits/nats-semaphore.ts';
import { checkSemaphoreOptions, type NatsSemaphoreOptions } from './limits/semaphore-options.ts';
import { SlotStore } from './limits/slot-store.ts';
import { atExit } from './exit-watch.ts';
import { LagWatch } from './lag-watch.ts';
import type { JoinOptions } from './link/join-options.ts';
import { JoinedBus } from './link/joined-bus.ts';
import { joinBus } from './link/join.ts';
import type { LinkEnd } from './link/link-end.ts';
import { findReplicas } from './link/name-claim.ts';
import type { Offer, OfferHost } from './link/offer.ts';
import { serveBus, type ServeOptions } from './link/serve.ts';
import type { Crew } from './queue/crew.ts';
import { NatsQueue } from './queue/nats-queue.ts';
import { type QueueOptions, resolveQueueOptions } from './queue/queue-options.ts';
import { QueueStore } from './queue/queue-store.ts';

/** Seconds of lag after which a link's other end may get nervous. */
const linkLag = 1;

/**
 * What `connectNats` gives: buses that others offer, and those that this process offers, in one namespace.
 *
 * It keeps the process alive only by an open offer or crew, or a call under way. `close()` tells all other ends that
 * this process leaves; they need not wait for silence.
 *
 * @example
 * ```ts
 * await using net = await connectNats({ servers: 'nats://broker:4222', namespace: 'shop' });
 * await net.serve(new EventBus({ name: 'Index' }));
 * ```
 */
export class NatsNet implements AsyncDisposable {
  /** Which buses and queues it sees: those of the same namespace. */
  readonly namespace: string;
  readonly #broker: Broker;
  readonly #host: OfferHost;
  readonly #links = new Set<LinkEnd>();
  readonly #offers = new Set<Offer>();
  readonly #crews = new Set<Crew>();
  readonly #semaphores = new Map<string, NatsSemaphore>();
  readonly #remembered = new Map<string, Remembered>();
  readonly #lag = new LagWatch();
  readonly #endExitWatch: () => void;
  #isClosed = false;

  private constructor(broker: Broker, namespace: string) {
    this.namespace = namespace;
    this.#broker = broker;
    this.#host = { broker, subjects: new Subjects(namespace), addLink: (link) => this.#addLink(link) };
    this.#endExitWatch = atExit(() => this.#warnOfLoss());
  }

  /** @internal */
  static over(broker: Broker, namespace: string): NatsNet {
    return new NatsNet(broker, namespace);
  }

  /**
   * Offers a bus under its name: an EventBus of this thread, or a WorkerBus.
   *
   * Put handlers that compute into a WorkerBus: then a timeout still ends what blocks, and this thread stays free to
   * show signs of life.
   *
   * @returns once the name is this process's; it keeps the process alive
   * @throws NameTakenError if the name is served already, or its servers don't agree on `replicas`; TypeError for what is
   *   no bus; NatsUnavailableError if the net is closed
   * @example
   * ```ts
   * const index = new EventBus({ name: 'Index' });
   * index.on(FileFound, worker.dispatch);
   * await using offer = await net.serve(index);
   * ```
   */
  async serve(bus: EventBus | BusReference, options: ServeOptions = {}): Promise<Offer> {
    this.#checkOpen();
    const offer = await serveBus(this.#host, bus, options);
    this.#offers.add(offer);
    this.#watchLag(bus);
    return offer;
  }

  /**
   * Joins a bus that another process serves; several servers of a name: one of them, at random.
   *
   * If a linked bus of this thread has the name, this one gets a number behind it: `Index`, `Index2`.
   *
   * @param bus the bus at this end
   * @returns once both buses know each other
   * @throws BusNotFoundError at once if nobody serves the name; LinkError if no answer comes within `startTimeout`;
   *   TypeError, RangeError; NatsUnavailableError if the net is closed
   * @example
   * ```ts
   * const index = await net.join(main, 'Index', { unresponsiveTimeout: 10 });
   * const count = await index.dispatch(new FileFound({ path })).eventResult();
   * ```
   */
  async join(bus: EventBus, name: string, options: JoinOptions = {}): Promise<JoinedBus> {
    this.#checkOpen();
    const link = await joinBus(this.#host, bus, name, options);
    this.#watchLag(bus);
    return JoinedBus.over(link);
  }

  /**
   * The ids of all servers of a name, as far as they answer within half a second.
   *
   * @throws TypeError; NatsUnavailableError if the net is closed
   * @example
   * ```ts
   * const all = await Promise.all((await net.replicas('Index')).map((replica) => net.join(main, 'Index', { replica })));
   * ```
   */
  async replicas(name: string): Promise<string[]> {
    this.#checkOpen();
    checkName('the name of the bus', name);
    return findReplicas(this.#broker, this.#host.subjects, name);
  }

  /**
   * A durable queue of that name: made if there is none, joined if there is.
   *
   * `events`, the presence of `key`, `partitions` and `dedupeWindow` are fixed when it is made; the rest may change.
   *
   * @param name 1 to 64 letters, digits, "_" or "-"
   * @throws TypeError for options that make no sense, and for a class that isn't `idempotent` with `maxDeliver` above 1;
   *   RangeError; QueueConfigError if it is there with other settings; NatsUnavailableError if the server has no JetStream
   * @example
   * ```ts
   * const jobs = await net.queue('thumbs', { events: [Resize], key: (event) => event.image_id, partitions: 16 });
   * ```
   */
  queue<Event extends BaseEvent>(name: string, options: QueueOptions<Event>): Promise<NatsQueue<Event>>;
  queue<Class extends EventConstructor>(
    name: string,
    options: QueueOptions<InstanceType<Class>> & { readonly events: readonly Class[] },
  ): Promise<NatsQueue<InstanceType<Class>>>;
  async queue(name: string, options: QueueOptions): Promise<NatsQueue> {
    this.#checkOpen();
    checkPlainName('the name of the queue', name);
    const resolved = resolveQueueOptions(options);
    const store = new QueueStore(new JetStream(this.#broker), this.namespace, name, resolved);
    await store.open((text) => defaultLogger().warn(text));
    return new NatsQueue(store, (crew, bus) => {
      this.#crews.add(crew);
      void crew.failed.then(() => this.#crews.delete(crew));
      this.#lag.watch(resolved.ackWait / 3, bus instanceof EventBus ? busEngine(bus).options.logger : defaultLogger());
    });
  }

  /**
   * A limit over all processes and machines of the namespace. The same name is one count, also for `slots`.
   *
   * @throws TypeError for options that make no sense; NatsUnavailableError if the net is closed
   * @example
   * ```ts
   * await using lease = await net.semaphore('gpu', { limit: 2, lease: 15 }).acquire({ timeout: 60 });
   * ```
   */
  semaphore(name: string, options: NatsSemaphoreOptions): NatsSemaphore {
    this.#checkOpen();
    checkName('the name of the semaphore', name);
    const resolved = checkSemaphoreOptions(options);
    const key = `${resolved.limit} ${resolved.lease} ${name}`;
    let semaphore = this.#semaphores.get(key);
    if (semaphore === undefined) {
      const store = new SlotStore(new JetStream(this.#broker), this.namespace, name);
      semaphore = new NatsSemaphore(this.#broker, store, name, resolved, this.#remembered);
      this.#semaphores.set(key, semaphore);
    }
    return semaphore;
  }

  /**
   * The same, as a pool for `retry` of `@threadbus/semaphore`.
   *
   * @throws TypeError for options that make no sense; NatsUnavailableError if the net is closed
   * @example
   * ```ts
   * const render = retry({ semaphoreLimit: 2, semaphorePool: net.slots('gpu', { limit: 2 }) })(renderOnce);
   * ```
   */
  slots(name: string, options: NatsSemaphoreOptions): NatsSemaphore {
    return this.semaphore(name, options);
  }

  /**
   * Takes a semaphore into use again whose settings and tokens the store has forgotten: tokens begin anew.
   *
   * @throws TypeError
   * @example
   * ```ts
   * net.resetSemaphore('gpu');   // nobody relies on old tokens any more
   * ```
   */
  resetSemaphore(name: string): void {
    this.#remembered.delete(checkName('the name of the semaphore', name));
  }

  /**
   * Closes all crews (what runs has its 30 s), withdraws all offers, ends all links (what was sent still arrives) and, if it is ours, the connection.
   *
   * Events that wait for another bus end with LinkError here; the other ends get LinkLostError at once. Twice does no harm.
   *
   * @throws nothing: it never rejects
   */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#lag.stop();
    await this.#broker.keepAlive.during(async () => {
      await Promise.all([...this.#crews].map((crew) => crew.close()));
      for (const offer of this.#offers) await offer.close();
      await Promise.all([...this.#links].map((link) => link.close('its process left the net')));
      await this.#broker.close();
    });
    this.#endExitWatch();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw new NatsUnavailableError('This net is closed. Make another: await connectNats(…).');
    this.#broker.checkOpen();
  }

  /** The process ends by force: nothing leaves any more. */
  #warnOfLoss(): void {
    for (const link of this.#links) link.warnOfLoss();
    const { storing } = this.#broker;
    if (storing === 0) return;
    defaultLogger().warn(
      `This process exits while ${storing} events are to be stored in queues: some of them may never be. Await enqueue(), or net.close(), before process.exit().`,
    );
  }

  #addLink(link: LinkEnd): void {
    this.#links.add(link);
    void link.closed.then(() => this.#links.delete(link));
  }

  #watchLag(bus: EventBus | BusReference): void {
    if ('observe' in bus) this.#lag.watch(linkLag, busEngine(bus).options.logger);
  }
}
