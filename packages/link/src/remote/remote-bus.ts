import type {
  Dispatchable,
  DispatchOptions,
  EventBus,
  EventConstructor,
  EventPattern,
  EventsOptions,
  ExpectOptions,
  Forward,
  OnOptions,
  RunningBus,
  Subscription,
} from '@threadbus/core';
import {
  type AnyHandler,
  BaseEvent,
  busEngine,
  type BusIdentity,
  cancelWith,
  type Capacity,
  checkDispatchOptions,
  checkOptions,
  checkSignal,
  Dispatch,
  enterTree,
  type ForwardTarget,
  forwardTo,
  isDispatchWatched,
  isLookedOn,
  type Lifecycle,
  lifecycleOf,
  loggerOf,
  monotonic,
  noEventError,
  passed,
  type Places,
  rememberTransfer,
  skip,
  tellDispatched,
  waitForCapacity,
  watchDispatch,
} from '@threadbus/core/internal';
import type { AsyncResource } from 'node:async_hooks';
import { crossingsOf } from '../outgoing/crossings.ts';
import type { Arrival } from '../incoming/arrival.ts';
import { GuestHandlers } from '../incoming/guest-handlers.ts';
import { Link } from '../connection/link.ts';
import type { LinkOwner } from '../connection/link-owner.ts';
import type { FlowLimits } from '../wire/flow-limits.ts';
import { Outgoing } from '../outgoing/outgoing.ts';
import type { Sender } from '../outgoing/outbox.ts';
import { captureContext } from '../wire/portable.ts';
import type { WireCall, WireEvent, WireOutcome } from '../wire/protocol.ts';
import { RemoteExpectations } from './remote-expectations.ts';
import { Destination, type RemotePart } from '../outgoing/remote-part.ts';
import { RemoteIdle } from './remote-idle.ts';
import { RemoteSubscriptions } from './remote-subscriptions.ts';

/** What the owner of a remote bus is told. */
export interface RemoteBusEvents {
  /** The first event is under way, or none is any more. */
  busy(busy: boolean): void;
  hello?(peer: BusIdentity): void;
  arrived?(arrival: Arrival): void;
  pong?(token: number): void;
  suspended?(suspended: boolean): void;
  working?(): void;
  /** Asked before an event is taken. @throws why it can't be taken now, such as BusCapacityError for too many bytes */
  checkRoom?(event: BaseEvent): void;
  /** Asked by whoever has waited for a place. @returns when there is room, too; null: there is @throws as the wait does */
  waitForRoom?(signal: AbortSignal | undefined): Promise<void> | null;
  /** Where events for a subscription go that was not made by `on`. */
  targetOf?(target: number, call: WireCall | null): ForwardTarget | undefined;
}

const noOptions: DispatchOptions = {};

/**
 * A bus at the other end of a link, as this side sees it: dispatch to it, forward to it, register handlers on it.
 *
 * It outlives the link: what wasn't sent waits until `connect` is called again.
 */
export class RemoteBus implements RunningBus, ForwardTarget, LinkOwner, Places {
  readonly identity: BusIdentity;
  readonly outgoing: Outgoing;
  readonly idle: RemoteIdle = new RemoteIdle();
  /** Bound, and a forwarder like an EventBus's: `main.on('*', remote.dispatch)`. */
  readonly dispatch: Forward;
  readonly #events: RemoteBusEvents;
  readonly #toBus: Destination;
  readonly #subscriptions: RemoteSubscriptions;
  readonly #expectations: RemoteExpectations;
  #failure: Error | null = null;
  #link: Link | null = null;
  /** What the other side has registered on the bus at this end, if there is one. */
  #guests: GuestHandlers | null = null;

  /** @param bus the bus at this end; null = none, or none yet */
  constructor(identity: BusIdentity, bus: EventBus | null, limits: FlowLimits, events: RemoteBusEvents) {
    const crossings = crossingsOf(bus ?? this);
    this.identity = identity;
    this.#events = events;
    this.#toBus = new Destination({ number: 0 }, identity);
    this.outgoing = new Outgoing(identity, limits, crossings, (busy) => events.busy(busy));
    this.outgoing.remote = this;
    this.#subscriptions = new RemoteSubscriptions(identity, this);
    this.#expectations = new RemoteExpectations(identity, crossings);
    this.dispatch = forwardTo(this, (event, options) => this.#dispatch(event, options));
  }

  get id(): string {
    return this.identity.id;
  }

  get name(): string {
    return this.identity.name;
  }

  get link(): Link | null {
    return this.#link;
  }

  /**
   * Makes the link that a port carries; it is used once the other side has introduced itself.
   *
   * @param onLost told once if it ends by itself
   */
  createLink(sender: Sender, bus: EventBus | null, onLost: (error: Error) => void): Link {
    if (bus !== null) {
      this.#guests ??= new GuestHandlers(bus, this.outgoing);
      busEngine(bus).twins = this.outgoing.crossings;
    }
    this.outgoing.logger = loggerOf(bus);
    this.#link = new Link(sender, bus, this.outgoing, this, this.#guests, onLost);
    this.outgoing.crossings.linkUp();
    return this.#link;
  }

  /** The link is down for good, or until the next one. @returns what was sent and has no results */
  disconnect(error: Error): RemotePart[] {
    if (this.#link !== null) this.outgoing.crossings.linkDown();
    this.#link?.close();
    this.#link = null;
    this.#subscriptions.disconnect();
    this.#guests?.orphan();
    this.#expectations.disconnect(error);
    this.idle.disconnect(error);
    return this.outgoing.disconnect();
  }

  /** Takes nothing new from now on; what is under way goes on. */
  refuse(error: Error): void {
    this.#failure ??= error;
  }

  /** Why it takes nothing any more. */
  get failure(): Error | null {
    return this.#failure;
  }

  /** As `fail`, but because this side wants no more of it: who reads what comes has come to the end. */
  close(error: Error): void {
    this.#expectations.close();
    this.fail(error);
  }

  /** Nothing goes there any more; all that is under way ends with the error. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.outgoing.failAll(error, this.disconnect(error));
    this.#guests?.removeAll(error);
    this.#subscriptions.end();
    this.#expectations.refuseAll(error);
  }

  accept(event: BaseEvent, context: AsyncResource): RemotePart | null {
    if (this.#failure !== null) throw this.#failure;
    if (passed(event, this.identity)) return null;
    return this.outgoing.add(event, this.#toBus, context.runInAsyncScope(captureContext, undefined, event));
  }

  on(pattern: EventPattern, handler: unknown, options: OnOptions = {}): Subscription {
    if (this.#failure !== null) throw this.#failure;
    return this.#subscriptions.add(pattern, handler, options);
  }

  off(pattern: EventPattern, handler?: (...args: never[]) => unknown): void {
    this.#subscriptions.removeAll(pattern, handler as AnyHandler | undefined);
  }

  async expect(pattern: EventPattern, options: ExpectOptions = {}): Promise<BaseEvent> {
    return this.#expectations.add(pattern, options, this.#failure);
  }

  events(pattern: EventPattern, options: EventsOptions = {}): AsyncIterableIterator<BaseEvent, undefined> {
    this.checkOpen();
    return this.#expectations.stream(pattern, options);
  }

  get bus(): RunningBus {
    return this;
  }

  get capacity(): Capacity {
    return this.outgoing.capacity;
  }

  get placeHolders(): Iterable<Lifecycle> {
    return this.outgoing.placeHolders;
  }

  checkOpen(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  async waitForCapacity(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    checkOptions('waitForCapacity', options, ['signal']);
    const { signal } = options;
    checkSignal(signal);
    this.checkOpen();
    signal?.throwIfAborted();
    for (;;) {
      await waitForCapacity(this, signal);
      // Whatever waited for a place is on the wire then, so that what there is to wait for depends on no handler.
      const room = this.#events.waitForRoom?.(signal) ?? null;
      if (room === null) return;
      await room;
    }
  }

  /**
   * Waits, as an await of the handler that calls, until nothing is under way over there or on its way there.
   *
   * @returns false if the time was up first, or there is no link at present
   * @throws AwaitCycleError; the link's failure; the signal's reason
   */
  async waitUntilIdle(timeout: number | null, signal: AbortSignal | undefined): Promise<boolean> {
    const end = timeout === null ? null : monotonic() + timeout * 1000;
    for (;;) {
      const left = end === null ? null : Math.max(0, (end - monotonic()) / 1000);
      this.outgoing.hurry();
      const idle = await this.idle.round(this, left, signal);
      if (idle && this.outgoing.size === 0) return true;
      if (this.#link === null || left === 0) return false;
    }
  }

  hello(peer: BusIdentity): void {
    this.#events.hello?.(peer);
  }

  /** The other side is known and fine: what waited goes out. */
  connect(): void {
    const link = this.#link;
    if (link === null) return;
    const send = (...operation: readonly unknown[]): void => void link.outbox.push(...operation);
    this.#subscriptions.connect(send);
    this.#expectations.connect(send);
    this.idle.connect(send);
    this.#guests?.dropOrphans();
    this.outgoing.connect(link);
  }

  subscriptionTarget(target: number, call: WireCall | null): ForwardTarget | undefined {
    return this.#events.targetOf?.(target, call) ?? this.#subscriptions.targetOf(target, call);
  }

  offered(expectation: number, offer: number, wire: WireEvent): void {
    this.#expectations.offered(expectation, offer, wire);
  }

  unoffered(expectation: number, error: Error): void {
    this.#expectations.refuse(expectation, error);
  }

  followed(offer: number, outcome: WireOutcome): void {
    const part = this.#expectations.takeFollowed(offer);
    if (part !== undefined) this.#link?.settle(part, outcome);
  }

  followedBy(offer: number): Lifecycle | undefined {
    return this.#expectations.followed(offer);
  }

  classOf(type: string): EventConstructor | undefined {
    return this.#subscriptions.classOf(type);
  }

  arrived(arrival: Arrival): void {
    this.#events.arrived?.(arrival);
  }

  pong(token: number): void {
    this.#events.pong?.(token);
  }

  suspended(suspended: boolean): void {
    this.#events.suspended?.(suspended);
  }

  working(): void {
    this.#events.working?.();
  }

  #dispatch<E extends Dispatchable>(event: E, options: DispatchOptions = noOptions): Dispatch<E> {
    if (!(event instanceof BaseEvent)) throw noEventError(this.identity, event);
    if (options !== noOptions) checkDispatchOptions(options);
    const { detached = false, transfer, signal } = options;
    if (this.#failure !== null) throw this.#failure;
    // oxlint-disable-next-line typescript/only-throw-error -- the signal's reason, as it is
    if (signal?.aborted === true) throw signal.reason;
    const lifecycle = lifecycleOf(event);
    if (passed(event, this.identity)) {
      const skipped = skip(event, this.identity);
      if (signal !== undefined) cancelWith(lifecycle, signal);
      return skipped;
    }
    if (!lifecycle.open) {
      this.outgoing.checkCapacity(event);
      this.#events.checkRoom?.(event);
    }
    if (transfer !== undefined) rememberTransfer(event, transfer);
    const first = enterTree(event, detached);
    if (signal !== undefined) cancelWith(lifecycle, signal);
    const add = (): void => void this.outgoing.add(event, this.#toBus, captureContext(event));
    if (first && isLookedOn()) tellDispatched(event, this);
    if (first && isDispatchWatched()) watchDispatch(event, this, add);
    else add();
    return new Dispatch(event);
  }
}
