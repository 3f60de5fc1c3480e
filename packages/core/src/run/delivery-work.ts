import { AsyncResource } from 'node:async_hooks';
import { type BaseEvent, completionOf, statedTimeoutOf } from '../event/base-event.ts';
import { type Moment, never, now } from '../basics/clock.ts';
import type { RunningBus } from '../event/dispatch.ts';
import type { ErrorPlace } from '../basics/errors.ts';
import { abortedError, cancelledError } from './ended-errors.ts';
import { EventResult, resultSettled, resultStarted } from '../event/event-result.ts';
import type { ForwardTarget, HandlerEntry } from '../handlers/handler.ts';
import type { Middleware } from '../handlers/middleware.ts';
import { HandlerRun, type RunHost } from './handler-run.ts';
import type { Lifecycle } from '../event/lifecycle.ts';
import { recursionError } from './recursion.ts';
import { firstResultError } from '../event/first-result.ts';
import { countsByDefault } from '../event/result-helpers.ts';
import { isOverdue } from './turns.ts';
import { memberAt, type SmallList } from '../basics/small-list.ts';
import { isEmpty, membersOf, type SmallSet, withMember, withoutMember } from '../basics/small-set.ts';

/** An event on a bus, as far as its handlers are concerned. */
export interface Worked {
  readonly event: BaseEvent;
  readonly lifecycle: Lifecycle;
  readonly state: string;
  /** Where it was dispatched. */
  readonly context: AsyncResource;
  /** One for each handler, in order; set as the work begins. */
  runners: SmallList<EventResult>;
  cancel(cause: unknown): void;
  /** All handlers have settled. */
  done(at: Moment): void;
}

/** What the work on an event needs of its bus. */
export interface WorkHost<Delivery> {
  readonly bus: RunningBus;
  readonly maxRecursionDepth: number | null;
  /** Seconds for each handler of events that state nothing. */
  readonly eventTimeout: number | null;
  readonly middlewares: readonly Middleware[];
  /** The handlers of the type; if they are `starting`, those that run once leave the bus. */
  match(type: string, starting: boolean): readonly HandlerEntry[];
  /** The serial slot: see RunHost for what the calls mean. */
  take(run: HandlerRun): void;
  release(run: HandlerRun): void;
  whenFree(run: HandlerRun, go: () => void): void;
  /** The delivery's handler has settled: call its `advance` when its turn comes. */
  continue(delivery: Delivery): void;
  /** One event more, or less, waits for a thread. */
  waitsForThread(change: 1 | -1): void;
  /** No handler that holds the slot is left. */
  leave(delivery: Delivery): void;
  started(delivery: Delivery): void;
  handlerStarted(delivery: Delivery, result: EventResult): void;
  /** The call of one has returned, and it hasn't settled. */
  handlerGoesOn(): void;
  handlerEnded(delivery: Delivery, result: EventResult, entry: HandlerEntry): void;
}

/**
 * The handlers of one event on one bus, from the start until each of them has settled.
 *
 * It is *busy* until no handler that holds the slot is left, running or to come; forwards and handlers in other threads
 * don't hold it.
 */
export class DeliveryWork<Delivery extends Worked> implements RunHost {
  readonly #delivery: Delivery;
  readonly #host: WorkHost<Delivery>;
  readonly #entries: readonly HandlerEntry[];
  #nextEntry = 0;
  #busy = true;
  /** The handler that is just being called: if it settles before the call returns, `advance` goes on by itself. */
  #starting: HandlerRun | null = null;
  /** Handlers whose call has returned and that haven't settled, suspended ones included. */
  #running: SmallSet<HandlerRun> = null;
  /** How many of them need the slot. */
  #slotWanted = 0;
  /** How many wait for a thread. */
  #waiting = 0;

  constructor(delivery: Delivery, host: WorkHost<Delivery>, starting: boolean) {
    this.#delivery = delivery;
    this.#host = host;
    const entries = host.match(delivery.event.event_type, starting);
    this.#entries = entries;
    const [only] = entries;
    if (only === undefined) return;
    delivery.runners = entries.length === 1 ? this.#resultOf(only) : entries.map((entry) => this.#resultOf(entry));
  }

  /** The event has no handlers here. */
  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  get bus(): RunningBus {
    return this.#host.bus;
  }

  get middlewares(): readonly Middleware[] {
    return this.#host.middlewares;
  }

  /**
   * Starts handlers in order: on a serial bus up to the first that keeps the slot, else all; or until timers and I/O are
   * due.
   *
   * Called with the slot free.
   *
   * @returns when the last of them settled; `never` if that goes on: from `at` on, time is looked up only where it has
   *   passed and somebody needs it
   */
  advance(serial: boolean, at: Moment): Moment {
    let time = at;
    while (this.#nextEntry < this.#entries.length) {
      const entry = this.#entries[this.#nextEntry] as HandlerEntry;
      const result = memberAt(this.#delivery.runners, this.#nextEntry);
      this.#nextEntry += 1;
      time = entry.target === null ? this.#run(entry, result, time) : this.#forward(entry, entry.target, result, time);
      if (entry.target === null) {
        if (result.settled && this.#isAnswered(result)) return time;
        if (serial && !result.settled && entry.holdsSlot) return time;
      }
      if (this.#nextEntry === this.#entries.length) break;
      if (time === never) time = now();
      if (isOverdue(time)) {
        this.#host.continue(this.#delivery);
        return time;
      }
    }
    this.#checkDone(time);
    return time;
  }

  /** Settles every handler that hasn't settled. */
  cancel(cause: unknown): void {
    this.#abort(this.#starting, cause);
    for (const run of membersOf(this.#running)) this.#abort(run, cause);
    while (this.#hasNext) this.#cancelNext(cause);
    this.#checkDone(now());
  }

  suspended(run: HandlerRun): void {
    if (run.needsSlot) this.#host.release(run);
  }

  whenFree(run: HandlerRun, go: () => void): void {
    if (run.needsSlot) this.#host.whenFree(run, go);
    else go();
  }

  resumed(run: HandlerRun): void {
    if (run.needsSlot) this.#host.take(run);
  }

  /** The next handler is due now, as the events that its result waits for come behind it; unless it depends on the result. */
  returned(run: HandlerRun): void {
    if (!run.needsSlot) return;
    run.needsSlot = false;
    this.#slotWanted -= 1;
    this.#host.release(run);
    if (this.#hasNext && completionOf(this.#delivery.event) === 'all') this.#host.continue(this.#delivery);
    else this.#leave();
  }

  settled(run: HandlerRun, at: Moment): void {
    this.#running = withoutMember(this.#running, run);
    run.onBegun?.();
    const { needsSlot } = run;
    if (needsSlot) this.#slotWanted -= 1;
    // The slot last: whatever an observer does, nothing else starts within its call.
    this.#host.handlerEnded(this.#delivery, run.runner, run.entry);
    this.#host.release(run);
    if (this.#starting === run || this.#isAnswered(run.runner)) return;
    const isNext = needsSlot || (run.entry.holdsSlot && completionOf(this.#delivery.event) === 'first');
    if (isNext && this.#hasNext) this.#host.continue(this.#delivery);
    else this.#checkDone(at);
  }

  get #hasNext(): boolean {
    return this.#nextEntry < this.#entries.length;
  }

  /** Ends the other handlers if the event needs one result and this is one. @returns whether that has ended the delivery */
  #isAnswered(result: EventResult): boolean {
    if (completionOf(this.#delivery.event) === 'all' || !countsByDefault(result)) return false;
    this.#delivery.cancel(firstResultError(result));
    return true;
  }

  /** Calls the handler. @returns when it settled; `never` if it goes on */
  #run(entry: HandlerEntry, result: EventResult, at: Moment): Moment {
    const run = new HandlerRun(this.#delivery.event, entry, result, this);
    this.#starting = run;
    if (entry.holdsSlot) {
      this.#slotWanted += 1;
      this.#host.take(run);
    }
    this.#host.handlerStarted(this.#delivery, result);
    const refusal = recursionError(run, this.#host.maxRecursionDepth);
    let time = at;
    if (refusal === null) time = run.start(this.#handlerContext(), at);
    else run.abort(refusal);
    this.#starting = null;
    if (!result.settled) {
      this.#host.handlerGoesOn();
      this.#running = withMember(this.#running, run);
      if (result.status === 'pending') this.#waitForThread(run);
    }
    return time;
  }

  /** The event counts among those that wait for a thread until none of its handlers does. */
  #waitForThread(run: HandlerRun): void {
    this.#waiting += 1;
    if (this.#waiting === 1) this.#host.waitsForThread(1);
    run.onBegun = () => {
      run.onBegun = null;
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#host.waitsForThread(-1);
    };
  }

  #resultOf(entry: HandlerEntry): EventResult {
    return new EventResult(this.#delivery.lifecycle, entry.source, this.#limit(entry));
  }

  /** Seconds for one handler: the event's, or the bus's if it states none; less if the handler has less. */
  #limit({ timeout }: HandlerEntry): number | null {
    const stated = statedTimeoutOf(this.#delivery.event);
    const own = stated === undefined ? this.#host.eventTimeout : stated;
    if (timeout === null || own === null) return timeout ?? own;
    return Math.min(timeout, own);
  }

  /** Hands the event to another bus; its own result is the event, at once. */
  #forward(entry: HandlerEntry, target: ForwardTarget, result: EventResult, at: Moment): Moment {
    const { event } = this.#delivery;
    resultStarted(result, at);
    this.#host.handlerStarted(this.#delivery, result);
    try {
      target.accept(event, this.#handlerContext());
      resultSettled(result, 'completed', event, at);
    } catch (error) {
      resultSettled(result, 'error', error, at);
    }
    this.#host.handlerEnded(this.#delivery, result, entry);
    return at;
  }

  /**
   * The dispatcher's context for one handler. A handler may change it (`enterWith`), and where contexts live on
   * resources (Node.js before 24) that would reach whoever runs in the same resource: with several handlers each has
   * one of its own.
   */
  #handlerContext(): AsyncResource {
    const { context } = this.#delivery;
    if (this.#entries.length === 1) return context;
    return context.runInAsyncScope(() => new AsyncResource('threadbus.handler'));
  }

  #cancelNext(cause: unknown): void {
    const entry = this.#entries[this.#nextEntry] as HandlerEntry;
    const result = memberAt(this.#delivery.runners, this.#nextEntry);
    this.#nextEntry += 1;
    const { event } = this.#delivery;
    const place: ErrorPlace = {
      busName: entry.source.busName,
      handlerName: entry.source.handlerName,
      eventType: event.event_type,
      eventId: event.event_id,
    };
    resultSettled(result, 'error', cancelledError(place, cause), now());
    this.#host.handlerEnded(this.#delivery, result, entry);
  }

  /** One whose time hasn't begun waits for a thread. */
  #abort(run: HandlerRun | null, cause: unknown): void {
    if (run === null) return;
    run.onCancel?.();
    const { place, runner } = run;
    run.abort(runner.status === 'pending' ? cancelledError(place, cause) : abortedError(place, cause), cause);
  }

  #checkDone(at: Moment): void {
    if (this.#delivery.state !== 'started' || this.#hasNext) return;
    this.#leave();
    if (this.#starting?.runner.settled === false || !isEmpty(this.#running)) return;
    this.#delivery.done(at);
  }

  #leave(): void {
    if (!this.#busy || this.#slotWanted > 0) return;
    this.#busy = false;
    this.#host.leave(this.#delivery);
  }
}
