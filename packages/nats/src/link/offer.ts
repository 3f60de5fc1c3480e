import type { EventBus } from '@threadbus/core';
import { busEngine, type BusIdentity } from '@threadbus/core/internal';
import { defaultFlow } from '@threadbus/link/internal';
import type { Broker } from '../broker/broker.ts';
import type { Subjects } from '../broker/subjects.ts';
import { encodeMessage, type JoinRequest, readJoinRequest } from './handshake.ts';
import { defaultEventBytes, defaultPendingBytes } from './join-options.ts';
import { LinkEnd } from './link-end.ts';
import { NameClaim } from './name-claim.ts';
import { NatsDatagrams } from './nats-datagrams.ts';

/** What an offer needs of its net. */
export interface OfferHost {
  readonly broker: Broker;
  readonly subjects: Subjects;
  /** A link was made: it lives as long as the net, or as both ends want. */
  addLink(link: LinkEnd): void;
}

/** What is offered. */
export interface OfferPlan {
  /** The bus that links end at. */
  readonly bus: EventBus;
  /** Under which it is found. */
  readonly name: string;
  readonly replicas: boolean;
}

/**
 * A bus that others can join, until it is closed.
 *
 * It keeps the process alive, since a server must not exit for want of work: `unref()` lets it go.
 *
 * @example
 * ```ts
 * await using offer = await net.serve(index);
 * await once(process, 'SIGTERM');   // then the offer is withdrawn; links that are there stay until net.close()
 * ```
 */
export class Offer implements AsyncDisposable {
  readonly #host: OfferHost;
  readonly #plan: OfferPlan;
  readonly #claim: NameClaim;
  readonly #keepAlive: (needed: boolean) => void;
  readonly #ends: (() => void)[] = [];
  #isClosed = false;

  private constructor(host: OfferHost, plan: OfferPlan) {
    this.#host = host;
    this.#plan = plan;
    this.#keepAlive = host.broker.keepAlive.holder();
    const { bus, name, replicas } = plan;
    this.#claim = new NameClaim(host.broker, host.subjects, name, bus.id, replicas, () => this.#lost());
  }

  /** @internal @throws NameTakenError */
  static async make(host: OfferHost, plan: OfferPlan): Promise<Offer> {
    const offer = new Offer(host, plan);
    await offer.#claim.settle();
    try {
      await offer.#listen();
    } catch (error) {
      offer.#withdraw();
      throw error;
    }
    return offer;
  }

  /** Under which the bus is found. */
  get name(): string {
    return this.#plan.name;
  }

  /** The bus's, which tells replicas apart. */
  get id(): string {
    return this.#plan.bus.id;
  }

  /** Whether it can't be joined any more: it was closed, its bus was stopped, or another server has its name. */
  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Lets the process end although the bus is offered. @throws nothing @example offer.unref(); */
  unref(): void {
    this.#keepAlive(false);
  }

  /** Keeps the process alive again. @throws nothing @example offer.ref(); */
  ref(): void {
    if (!this.#isClosed) this.#keepAlive(true);
  }

  /** Withdraws the offer: the bus can't be joined any more, links that are there stay. Twice does no harm. @throws nothing: it never rejects */
  async close(): Promise<void> {
    this.#withdraw();
    await this.#host.broker.flush().catch(() => undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #listen(): Promise<void> {
    const { broker, subjects } = this.#host;
    const { bus, name } = this.#plan;
    const answer = (data: Uint8Array, reply: string | undefined): void => {
      const request = readJoinRequest(data);
      if (request !== null && reply !== undefined) this.#accept(request, reply);
    };
    this.#ends.push(
      broker.subscribe(subjects.join(name), ({ data, reply }) => answer(data, reply), 'servers'),
      // A bus that is offered twice takes a request once.
      broker.subscribe(subjects.joinReplica(name, bus.id), ({ data, reply }) => answer(data, reply), 'servers'),
    );
    this.#ends.push(bus.observe({ stopped: () => this.#withdraw() }));
    this.#keepAlive(true);
    await broker.flush();
  }

  #accept(request: JoinRequest, reply: string): void {
    const { broker, subjects } = this.#host;
    const { bus, name } = this.#plan;
    const { session } = request;
    const datagrams = new NatsDatagrams(broker, { send: subjects.down(session), receive: subjects.up(session) });
    datagrams.agree(request.maxPacket);
    const maxEventBytes = Math.min(request.maxEventBytes, defaultEventBytes);
    const { unresponsiveTimeout } = request;
    const limits = { ...defaultFlow, maxPendingBytes: defaultPendingBytes, maxEventBytes, unresponsiveTimeout };
    const link = new LinkEnd({ broker, bus, peer: request.bus, datagrams, limits });
    this.#host.addLink(link);
    link.open();
    const identity: BusIdentity = { id: bus.id, name };
    broker.publish(reply, encodeMessage({ bus: identity, maxPacket: datagrams.maxSize, maxEventBytes }));
  }

  #lost(): void {
    if (this.#isClosed) return;
    this.#withdraw();
    busEngine(this.#plan.bus).options.logger.warn(
      `${this.name} takes no new joins: it didn't answer for a while, and another server has its name now. Serve it again once that one is gone.`,
    );
  }

  #withdraw(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#claim.release();
    for (const end of this.#ends) end();
    this.#keepAlive(false);
  }
}
