import { AsyncResource } from 'node:async_hooks';
import { BaseEvent, pathOf, setPath } from '../event/base-event.ts';
import type { BusIdentity, PathStep } from '../event/bus-names.ts';
import { cancelWith } from '../event/cancellation.ts';
import { Capacity } from './capacity.ts';
import { enterTree, noEventError, passed, skip } from '../event/causality.ts';
import { waitFor } from '../event/context.ts';
import { Delivery, type DeliveryHost } from '../run/delivery.ts';
import {
  checkDispatchOptions,
  Dispatch,
  type Dispatchable,
  type DispatchOptions,
  rememberTransfer,
  type RunningBus,
} from '../event/dispatch.ts';
import {
  BusCapacityError,
  BusStoppedError,
  isHandlerAbortedError,
  isHandlerCancelledError,
  isHandlerTimeoutError,
} from '../basics/errors.ts';
import type { EventResult } from '../event/event-result.ts';
import { Expectations } from './expectation.ts';
import type { ForwardTarget, HandlerEntry } from '../handlers/handler.ts';
import { HandlerRegistry } from '../handlers/handler-registry.ts';
import type { HandlerRun } from '../run/handler-run.ts';
import { EventHistory } from '../history/history.ts';
import { IdleWatch } from './idle-watch.ts';
import type { ResolvedBusOptions } from './bus-options.ts';
import type { Lifecycle } from '../event/lifecycle.ts';
import { dependentsOf } from '../event/needs.ts';
import { Observers } from '../event/observer.ts';
import { lifecycleOf } from '../event/result-helpers.ts';
import { RunLoop } from '../run/run-loop.ts';
import { SlowWatch } from '../run/slow-watch.ts';

const noOptions: DispatchOptions = {};

/** Knows the events of a linked bus by id: one event may be several objects in this thread, if it came on several ways. */
export interface Twins {
  /** What marks events that crossed the bus's own links. */
  readonly key: object;
  /** The bus has had the event as another object; if not, the bus's links know it from now on. */
  isTwin(event: BaseEvent, bus: Readonly<BusIdentity>): boolean;
  /** The event is complete. */
  left(event: BaseEvent): void;
}

/** The works of one bus: takes events, lets the run loop decide whose turn it is, keeps the books. */
export class BusEngine implements DeliveryHost, ForwardTarget {
  readonly identity: BusIdentity;
  readonly bus: RunningBus;
  readonly options: ResolvedBusOptions;
  readonly loop: RunLoop;
  readonly registry: HandlerRegistry;
  readonly history: EventHistory<Delivery>;
  readonly capacity: Capacity;
  readonly expectations: Expectations = new Expectations();
  readonly idle: IdleWatch = new IdleWatch();
  readonly observers: Observers;
  /** Null until the bus is linked. */
  twins: Twins | null = null;
  /** The path of events that were dispatched here first. */
  readonly #ownPath: readonly PathStep[];
  readonly #slow: SlowWatch;
  readonly #onDispatch: () => void;
  #stopped = false;

  constructor(identity: BusIdentity, bus: RunningBus, options: ResolvedBusOptions, onDispatch: () => void) {
    this.identity = identity;
    this.#ownPath = [identity];
    this.bus = bus;
    this.options = options;
    this.loop = new RunLoop(!options.parallelHandlers);
    this.registry = new HandlerRegistry(identity);
    this.history = new EventHistory(options.maxHistorySize);
    this.capacity = new Capacity(options.maxPending);
    this.observers = new Observers(options.logger);
    this.#onDispatch = onDispatch;
    this.#slow = new SlowWatch(
      () => this.#resultsInProgress(),
      (result, seconds) => this.#warnSlow(result, seconds),
    );
  }

  get id(): string {
    return this.identity.id;
  }

  get name(): string {
    return this.identity.name;
  }

  get maxRecursionDepth(): number | null {
    return this.options.maxRecursionDepth;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  dispatch<E extends Dispatchable>(event: E, options: DispatchOptions = noOptions): Dispatch<E> {
    if (options !== noOptions) checkDispatchOptions(options);
    const { detached = false, transfer, signal } = options;
    if (!(event instanceof BaseEvent)) throw noEventError(this.identity, event);
    if (this.#stopped) throw this.stoppedError(event);
    // oxlint-disable-next-line typescript/only-throw-error -- the signal's reason, as it is
    if (signal?.aborted === true) throw signal.reason;
    const lifecycle = lifecycleOf(event);
    if (this.#had(event, lifecycle)) {
      const skipped = skip(event, this.identity);
      if (signal !== undefined) cancelWith(lifecycle, signal);
      return skipped;
    }
    if (!lifecycle.open) {
      if (this.capacity.full) throw this.#capacityError(event);
      this.capacity.use();
    }
    if (lifecycle.sequence === 0) enterTree(event, detached);
    if (transfer !== undefined) rememberTransfer(event, transfer);
    if (signal !== undefined) cancelWith(lifecycle, signal);
    this.#take(event, new AsyncResource('threadbus.event'));
    return new Dispatch(event);
  }

  accept(event: BaseEvent, context: AsyncResource): Delivery | null {
    if (this.#stopped) throw this.stoppedError(event);
    return this.#had(event, lifecycleOf(event)) ? null : this.#take(event, context);
  }

  /** Some event here can't complete before `own`. */
  needs(own: Lifecycle): boolean {
    const needing = dependentsOf(own);
    for (const { lifecycle } of this.history.open()) if (needing.has(lifecycle)) return true;
    return false;
  }

  /**
   * Waits, as an await of the handler that calls, for all events here that can complete before the handler's own.
   *
   * @returns false if the time was up first
   */
  async drain(own: Lifecycle, timeout: number | null, signal?: AbortSignal): Promise<boolean> {
    const late = new Error('the time is up');
    const needing = dependentsOf(own);
    const others = this.history
      .open()
      .map(({ lifecycle }) => lifecycle)
      .filter((lifecycle) => !needing.has(lifecycle));
    // Each of them to its end: while one is pending, the handler counts as suspended.
    const ends = await Promise.allSettled(
      others.map((lifecycle) => waitFor(lifecycle, null, { timeout, signal, onTimeout: () => late })),
    );
    const failed = ends.find((end) => end.status === 'rejected');
    if (failed !== undefined && failed.reason !== late) throw failed.reason;
    return failed === undefined;
  }

  /** Ends everything that is under way here, `last`'s part last; afterwards nothing is taken any more. */
  shutDown(last: Lifecycle | null): void {
    this.#stopped = true;
    // An error costs as much as many events: a bus that is idle when it stops needs none.
    if (this.history.openSize > 0 || this.expectations.size > 0 || this.capacity.waited) this.#endAll(last);
    this.registry.stopListening();
    this.idle.settle();
    this.#slow.stop();
    this.observers.notify((observer) => observer.stopped?.());
  }

  stoppedError(event?: BaseEvent): BusStoppedError {
    const what = event === undefined ? '' : ` and takes no ${event.event_type}`;
    return new BusStoppedError(`${this.name} was stopped${what}. Dispatch before stop(), or make a new EventBus.`, {
      busName: this.name,
      eventType: event?.event_type,
      eventId: event?.event_id,
    });
  }

  match(type: string, starting: boolean): readonly HandlerEntry[] {
    const entries = this.registry.match(type);
    if (!starting) return entries;
    for (const entry of entries) if (entry.once) this.registry.remove(entry);
    return entries;
  }

  unqueue(delivery: Delivery): void {
    this.loop.unqueue(delivery);
  }

  promote(delivery: Delivery): void {
    this.loop.promote(delivery);
  }

  take(run: HandlerRun): void {
    this.loop.take(run);
  }

  release(run: HandlerRun): void {
    this.loop.release(run);
  }

  whenFree(run: HandlerRun, go: () => void): void {
    this.loop.whenFree(run, go);
  }

  continue(delivery: Delivery): void {
    this.loop.claim((at) => delivery.advance(!this.options.parallelHandlers, at));
  }

  leave(): void {
    this.loop.leave();
  }

  started(delivery: Delivery): void {
    const { event } = delivery;
    this.loop.enter();
    this.history.started(delivery);
    if (this.observers.active) this.observers.notify((observer) => observer.started?.(event));
  }

  handlerStarted({ event }: Delivery, result: EventResult, entry: HandlerEntry): void {
    if (entry.target === null) this.#slow.arm();
    if (this.observers.active) this.observers.notify((observer) => observer.handlerStarted?.(event, result));
  }

  handlerEnded({ event }: Delivery, result: EventResult, entry: HandlerEntry): void {
    if (result.status === 'error' && entry.target === null) this.#logFailure(event, result);
    if (this.observers.active) this.observers.notify((observer) => observer.handlerEnded?.(event, result));
  }

  delivered(): void {
    this.capacity.leave();
  }

  completed(delivery: Delivery): void {
    const { event } = delivery;
    this.history.completed(delivery);
    if (this.twins !== null && delivery.lifecycle.crossed !== null) this.twins.left(event);
    if (this.observers.active) this.observers.notify((observer) => observer.completed?.(event));
    if (this.history.openSize === 0) this.idle.settle();
  }

  #had(event: BaseEvent, { crossed }: Lifecycle): boolean {
    if (passed(event, this.identity)) return true;
    return (
      crossed !== null && this.twins !== null && crossed !== this.twins.key && this.twins.isTwin(event, this.identity)
    );
  }

  #endAll(last: Lifecycle | null): void {
    const cause = this.stoppedError();
    // Before the places get free: nobody may be given one here any more.
    this.capacity.refuseAll(cause);
    this.expectations.refuseAll(cause);
    // Whoever awaits `last` takes it along when he is aborted: so those come after all others.
    const open = this.history.open();
    const awaiting = last === null ? undefined : dependentsOf(last);
    for (const delivery of open) if (awaiting?.has(delivery.lifecycle) !== true) delivery.cancel(cause);
    for (const delivery of open) if (delivery.lifecycle !== last) delivery.cancel(cause);
    for (const delivery of open) delivery.cancel(cause);
  }

  #take(event: BaseEvent, context: AsyncResource): Delivery {
    const lifecycle = lifecycleOf(event);
    const delivery = new Delivery(event, this, context);
    const path = pathOf(event);
    setPath(event, path.length === 0 ? this.#ownPath : [...path, this.identity]);
    lifecycle.attach(delivery);
    this.capacity.enter();
    this.history.add(delivery);
    this.loop.enqueue(delivery);
    this.#onDispatch();
    if (this.observers.active) this.observers.notify((observer) => observer.dispatched?.(event));
    if (this.expectations.size > 0) this.expectations.offer(event);
    const aborted = lifecycle.cancellation?.aborted ?? null;
    if (aborted !== null) delivery.cancel(aborted.reason);
    return delivery;
  }

  #capacityError(event: BaseEvent): BusCapacityError {
    const { pending } = this.capacity;
    const limit = this.capacity.limit ?? 0;
    return new BusCapacityError(
      `EventBus at capacity: ${pending} pending events (${limit} max) on ${this.name}, ${this.loop.queued} of them queued and ${pending - this.loop.queued} in progress, so ${event.event_type} is refused. Wait with 'await bus.waitForCapacity()' before you dispatch, or raise maxPending.`,
      { busName: this.name, eventType: event.event_type, eventId: event.event_id },
      { pending, limit },
    );
  }

  #logFailure(event: BaseEvent, result: EventResult): void {
    const error = result.error as Error;
    const what = `${this.name}.${result.handler_name}(${event.event_type}#${event.event_id.slice(-4)}) failed`;
    // Ended with another handler, which has its own report: no stack, which costs the most of all.
    if (isHandlerAbortedError(error) || isHandlerCancelledError(error)) {
      this.options.logger.debug(`${what}: ${error.message}`);
    } else if (isHandlerTimeoutError(error)) {
      // Its stack is that of a timer, which tells nothing.
      this.options.logger.error(`${what}: ${error.name}: ${error.message}`);
    } else this.options.logger.error(`${what}: ${error.stack ?? `${error.name}: ${error.message}`}`);
  }

  *#resultsInProgress(): Iterable<EventResult> {
    for (const { results } of this.history.open()) {
      for (const result of results) if (result.status === 'started') yield result;
    }
  }

  #warnSlow({ lifecycle, handler_name }: EventResult, seconds: number): void {
    const { event_type, event_id } = lifecycle.event as BaseEvent;
    this.options.logger.warn(
      `${this.name}.${handler_name}(${event_type}#${event_id.slice(-4)}) has been running for ${seconds.toFixed(0)} s: slow, or a deadlock?`,
    );
  }
}
