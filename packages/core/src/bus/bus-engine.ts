import type { AsyncResource } from 'node:async_hooks';
import type { Moment } from '../basics/clock.ts';
import { BaseEvent, pathOf, setPath } from '../event/base-event.ts';
import type { BusIdentity, PathStep } from '../event/bus-names.ts';
import { cancelWith } from '../event/cancellation.ts';
import type { Places } from './back-pressure.ts';
import { BusMeter, type BusStats } from './bus-meter.ts';
import { reportEnded, reportFailures, reportRepeat, reportSlow } from './bus-reports.ts';
import { Capacity } from './capacity.ts';
import { capacityError, unwrittenError } from './capacity-errors.ts';
import { enterTree, noEventError, passed, skip } from '../event/causality.ts';
import { Delivery, type DeliveryHost } from '../run/delivery.ts';
import {
  checkDispatchOptions,
  Dispatch,
  type Dispatchable,
  type DispatchOptions,
  rememberTransfer,
  type RunningBus,
} from '../event/dispatch.ts';
import { BusStoppedError, type WalWriteError } from '../basics/errors.ts';
import type { EventResult } from '../event/event-result.ts';
import { Expectations } from './expectation.ts';
import type { ForwardTarget, HandlerEntry } from '../handlers/handler.ts';
import type { Middleware } from '../handlers/middleware.ts';
import { HandlerRegistry } from '../handlers/handler-registry.ts';
import type { HandlerRun } from '../run/handler-run.ts';
import { EventHistory } from '../history/history.ts';
import { IdleWatch } from './idle-watch.ts';
import type { ResolvedBusOptions } from './bus-options.ts';
import { isDispatchWatched, watchDispatch } from '../event/instrument.ts';
import type { Lifecycle } from '../event/lifecycle.ts';
import type { SafeLogger } from '../basics/logger.ts';
import { hasLost } from '../event/lost-result.ts';
import { dependentsOf } from '../event/needs.ts';
import { Observers } from '../event/observer.ts';
import { isLookedOn, tellDispatched } from '../event/onlookers.ts';
import { lifecycleOf } from '../event/result-helpers.ts';
import { EventLog } from '../log/event-log.ts';
import type { Arrival, LogHost } from '../log/log-entry.ts';
import { RunLoop } from '../run/run-loop.ts';
import { SlowWatch, type WatchedBus } from '../run/slow-watch.ts';
import type { Twins } from './twins.ts';

const noOptions: DispatchOptions = {};
const noMiddlewares: readonly Middleware[] = [];

/** The works of one bus: takes events, lets the run loop decide whose turn it is, keeps the books. */
export class BusEngine implements DeliveryHost, ForwardTarget, LogHost, Places, WatchedBus {
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
  readonly meter: BusMeter = new BusMeter();
  /** Of `use`; replaced, never changed. */
  middlewares: readonly Middleware[] = noMiddlewares;
  /** Null until the bus is linked. */
  twins: Twins | null = null;
  /** Null without walPath. */
  readonly log: EventLog | null;
  /** The path of events that were dispatched here first. */
  #ownPath: readonly PathStep[] | null = null;
  #slow: SlowWatch | null = null;
  readonly #onDispatch: () => void;
  #stopped = false;

  constructor(identity: BusIdentity, bus: RunningBus, options: ResolvedBusOptions, onDispatch: () => void) {
    this.identity = identity;
    this.bus = bus;
    this.options = options;
    const { parallelHandlers, concurrency } = options;
    this.loop = new RunLoop(parallelHandlers, concurrency ?? Infinity);
    this.registry = new HandlerRegistry(identity);
    this.history = new EventHistory(options.maxHistorySize);
    this.capacity = new Capacity(options.maxPending);
    this.observers = new Observers(options.logger);
    this.log = options.log === null ? null : new EventLog(options.log, () => identity.name, options.logger, this);
    this.#onDispatch = onDispatch;
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

  get eventTimeout(): number | null {
    return this.options.eventTimeout;
  }

  get logger(): SafeLogger {
    return this.options.logger;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  dispatch<E extends Dispatchable>(event: E, options: DispatchOptions = noOptions): Dispatch<E> {
    if (!(event instanceof BaseEvent)) throw noEventError(this.identity, event);
    if (options !== noOptions) checkDispatchOptions(options);
    const { detached = false, transfer, signal } = options;
    if (this.#stopped) throw this.stoppedError(event);
    // oxlint-disable-next-line typescript/only-throw-error -- the signal's reason, as it is
    if (signal?.aborted === true) throw signal.reason;
    const lifecycle = lifecycleOf(event);
    if (this.#had(event, lifecycle)) {
      if (lifecycle.settled) reportRepeat(this.logger, event, this.name);
      const skipped = skip(event, this.identity);
      if (signal !== undefined) cancelWith(lifecycle, signal);
      return skipped;
    }
    if (!lifecycle.open) {
      if (this.capacity.full) this.#makeRoom(event);
      this.capacity.use();
    }
    const arrival = this.#arrivalOf(event);
    const first = enterTree(event, detached);
    if (transfer !== undefined) rememberTransfer(event, transfer);
    if (signal !== undefined) cancelWith(lifecycle, signal);
    if (first && isLookedOn()) tellDispatched(event, this.bus);
    if (first && isDispatchWatched()) this.#takeWatched(event, arrival);
    else this.#take(event, new Delivery(event, this), arrival);
    return new Dispatch(event, arrival);
  }

  accept(event: BaseEvent, context: AsyncResource): Delivery | null {
    if (this.#stopped) throw this.stoppedError(event);
    if (this.#had(event, lifecycleOf(event))) return null;
    return this.#take(event, Delivery.within(context, event, this), this.#arrivalOf(event));
  }

  /** Events that hold places, the oldest first. */
  get placeHolders(): Lifecycle[] {
    return this.history.open().flatMap(({ lifecycle }) => (lifecycle.atWork ? [lifecycle] : []));
  }

  checkOpen(): void {
    if (this.#stopped) throw this.stoppedError();
    const failure = this.logFailure();
    if (failure !== null) throw failure;
  }

  /** Ends everything that is under way here, `last`'s part last; afterwards nothing is taken any more. */
  shutDown(last: Lifecycle | null): void {
    this.#stopped = true;
    // An error costs as much as many events: a bus that is idle when it stops needs none.
    if (this.history.openSize > 0 || this.expectations.size > 0 || this.capacity.waited) this.#endAll(last);
    this.registry.stopListening();
    this.log?.writeNow();
    this.idle.settle();
    this.#slow?.stop();
  }

  /** Nothing more will happen here. */
  tellStopped(): void {
    this.observers.stopped();
  }

  admit(delivery: Delivery): void {
    delivery.state = 'queued';
    this.loop.enqueue(delivery);
  }

  refused(error: WalWriteError): void {
    if (this.capacity.full) this.capacity.refuseAll(error);
    if (this.history.openSize > 0) this.idle.refuse(error);
  }

  stoppedError(event?: BaseEvent): BusStoppedError {
    const what = event === undefined ? '' : ` and takes no ${event.event_type}`;
    return new BusStoppedError(`${this.name} was stopped${what}. Dispatch before stop(), or make a new EventBus.`, {
      busName: this.name,
      eventType: event?.event_type,
      eventId: event?.event_id,
    });
  }

  stats(): BusStats {
    const { completed, failed, timedOut, waitingForThreads } = this.meter;
    const { queued, busy } = this.loop;
    return { queued, inProgress: busy, waitingForThreads, completed, failed, timedOut };
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

  waitsForThread(change: 1 | -1): void {
    this.meter.waitingForThreads += change;
  }

  leave(): void {
    this.loop.leave();
  }

  started(delivery: Delivery): void {
    this.loop.enter();
    this.history.started(delivery);
    if (this.observers.active) this.observers.started(delivery.event);
  }

  handlerStarted({ event }: Delivery, result: EventResult): void {
    if (this.observers.active) this.observers.handlerStarted(event, result);
  }

  handlerGoesOn(): void {
    (this.#slow ??= new SlowWatch(this)).arm();
  }

  handlerEnded(delivery: Delivery, result: EventResult, entry: HandlerEntry): void {
    if (result.status === 'error' && entry.target === null) {
      if (!hasLost(result.error)) BusMeter.note(delivery, result.error);
      reportEnded(this.logger, delivery.event, result);
    }
    if (this.observers.active) this.observers.handlerEnded(delivery.event, result);
  }

  delivered(): void {
    this.capacity.leave();
  }

  record(delivery: Delivery, at: Moment): void {
    this.log?.ended(delivery, at);
  }

  completed(delivery: Delivery, got: boolean): void {
    const { event } = delivery;
    this.meter.end(delivery);
    if (delivery.failure !== 'none') reportFailures(this.logger, event, delivery.results, got);
    this.history.completed(delivery);
    if (this.twins !== null && delivery.lifecycle.extras.crossed !== null) this.twins.left(event);
    if (this.observers.active) this.observers.completed(event);
    if (this.history.openSize === 0) this.idle.settle();
  }

  #had(event: BaseEvent, { extras: { crossed } }: Lifecycle): boolean {
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

  /** @throws UnserializableError for an event whose arrival is to be logged and can't be */
  #arrivalOf(event: BaseEvent): Arrival | null {
    return this.log?.ahead === true ? this.log.arrival(event) : null;
  }

  /** Apart: a function made in `dispatch` would cost every event, watched or not. */
  #takeWatched(event: BaseEvent, arrival: Arrival | null): void {
    watchDispatch(event, this.bus, () => void this.#take(event, new Delivery(event, this), arrival));
  }

  #take(event: BaseEvent, delivery: Delivery, arrival: Arrival | null): Delivery {
    const { lifecycle } = delivery;
    const path = pathOf(event);
    setPath(event, path.length === 0 ? (this.#ownPath ??= [this.identity]) : [...path, this.identity]);
    lifecycle.attach(delivery);
    this.capacity.enter();
    this.history.add(delivery);
    if (this.twins !== null) this.twins.took(delivery.arrival);
    if (arrival === null) this.loop.enqueue(delivery);
    else {
      delivery.state = 'arriving';
      this.log?.arrived(arrival.of(delivery));
    }
    this.#onDispatch();
    if (this.observers.active) this.observers.dispatched(event);
    if (this.expectations.size > 0) this.expectations.offer(event);
    const aborted = lifecycle.extras.cancellation?.aborted ?? null;
    if (aborted !== null) delivery.cancel(aborted.reason);
    return delivery;
  }

  /** Why no place is free: lines that can't be written take it. They are tried again now. */
  logFailure(event?: BaseEvent): WalWriteError | null {
    const { log, capacity } = this;
    if (log === null || !capacity.full || log.writeNow() || !capacity.full) return null;
    return unwrittenError(this, log, event);
  }

  /** Lines that wait for others to be written with them take places that they don't need. */
  #makeRoom(event: BaseEvent): void {
    const failure = this.logFailure(event);
    if (failure !== null) throw failure;
    if (this.capacity.full) throw capacityError(this, event);
  }

  warnOfSlow(result: EventResult, seconds: number): void {
    reportSlow(this.logger, result, seconds);
  }

  *resultsInProgress(): Iterable<EventResult> {
    for (const { results } of this.history.open()) {
      for (const result of results) if (result.status === 'started') yield result;
    }
  }
}
