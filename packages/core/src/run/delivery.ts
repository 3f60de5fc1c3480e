import { AsyncResource } from 'node:async_hooks';
import { type BaseEvent, completionOf, statedTimeoutOf } from '../event/base-event.ts';
import { type Moment, now } from '../basics/clock.ts';
import type { RunningBus } from '../event/dispatch.ts';
import { type ErrorPlace, isBusStoppedError } from '../basics/errors.ts';
import { abortedError, cancelledError } from './ended-errors.ts';
import { EventResult, resultSettled, resultStarted } from '../event/event-result.ts';
import type { ForwardTarget, HandlerEntry } from '../handlers/handler.ts';
import type { Middleware } from '../handlers/middleware.ts';
import type { Counted } from './counted.ts';
import type { InFlight } from '../history/history.ts';
import { HandlerRun, type RunHost } from './handler-run.ts';
import type { Lifecycle, Part } from '../event/lifecycle.ts';
import type { Linked } from '../basics/linked-list.ts';
import type { OpenList } from '../history/open-list.ts';
import { recursionError } from './recursion.ts';
import { firstResultError } from '../event/first-result.ts';
import { countsByDefault, lifecycleOf } from '../event/result-helpers.ts';
import { isOverdue } from './turns.ts';
import { isEmpty, membersOf, type SmallSet, withMember, withoutMember } from '../basics/small-set.ts';

/** What a delivery needs of its bus. */
export interface DeliveryHost {
  readonly bus: RunningBus;
  readonly maxRecursionDepth: number | null;
  /** Seconds for each handler of events that state nothing. */
  readonly eventTimeout: number | null;
  readonly middlewares: readonly Middleware[];
  /** The handlers of the type; if they are `starting`, those that run once leave the bus. */
  match(type: string, starting: boolean): readonly HandlerEntry[];
  /** Takes a queued delivery out of the queue, or moves it ahead of it. */
  unqueue(delivery: Delivery): void;
  promote(delivery: Delivery): void;
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
  delivered(delivery: Delivery): void;
  readonly log: object | null;
  /** The event is finished, and has one more line to write. */
  record(delivery: Delivery, at: Moment): void;
  /** @param got somebody who waited has the event's errors */
  completed(delivery: Delivery, got: boolean): void;
}

const noResults: readonly EventResult[] = [];
const noEntries: readonly HandlerEntry[] = [];

/**
 * One event on one bus: queued, then started, then done when each of its handlers has settled.
 *
 * While started it is *busy* until no handler that holds the slot is left, running or to come; forwards and handlers
 * in other threads don't hold it.
 */
export class Delivery implements Part, RunHost, Linked<Delivery>, InFlight<Delivery> {
  previous: Delivery | null = null;
  next: Delivery | null = null;
  earlier: Delivery | null = null;
  later: Delivery | null = null;
  arrival = 0;
  list: OpenList<Delivery> | null = null;
  nextPart: Part | null = null;
  state: 'queued' | 'started' | 'done' = 'queued';
  busy = false;
  failure: Counted['failure'] = 'none';
  /** Number of the loop's turn in which the event was awaited; 0 = it isn't. */
  awaitedTurn = 0;
  readonly event: BaseEvent;
  readonly lifecycle: Lifecycle;
  results: readonly EventResult[] = noResults;
  /** Name of the bus whose stop ended it here; null if it ended otherwise. */
  stoppedBy: string | null = null;
  /** Its arrival is not logged yet: it is in front of the queue. */
  arriving = false;
  /** Called once when all handlers have settled here. */
  onDone: (() => void) | null = null;
  #host: DeliveryHost;
  #context: AsyncResource;
  #entries: readonly HandlerEntry[] = noEntries;
  #nextEntry = 0;
  /** The handler that is just being called: if it settles before the call returns, `advance` goes on by itself. */
  #starting: HandlerRun | null = null;
  /** Handlers whose call has returned and that haven't settled, suspended ones included. */
  #running: SmallSet<HandlerRun> = null;
  /** How many of them need the slot. */
  #slotWanted = 0;
  /** How many wait for a thread. */
  #waiting = 0;

  constructor(event: BaseEvent, host: DeliveryHost, context: AsyncResource) {
    this.event = event;
    this.lifecycle = lifecycleOf(event);
    this.#host = host;
    this.#context = context;
  }

  get runningBus(): RunningBus {
    return this.#host.bus;
  }

  get bus(): RunningBus {
    return this.#host.bus;
  }

  get middlewares(): readonly Middleware[] {
    return this.#host.middlewares;
  }

  /** Fixes which handlers the event has on this bus. */
  start(at: Moment): void {
    this.#begin(true, at);
  }

  #begin(starting: boolean, at: Moment): void {
    this.state = 'started';
    this.busy = true;
    this.lifecycle.start(at);
    this.#entries = this.#host.match(this.event.event_type, starting);
    if (this.#entries.length > 0) {
      const [only] = this.#entries;
      this.results =
        this.#entries.length === 1 && only !== undefined
          ? [new EventResult(this.lifecycle, only.source, this.#limit(only))]
          : this.#entries.map((entry) => new EventResult(this.lifecycle, entry.source, this.#limit(entry)));
      this.lifecycle.onResults?.();
    }
    this.#host.started(this);
  }

  /**
   * Starts handlers in order: on a serial bus up to the first that keeps the slot, else all; or until timers and I/O are
   * due.
   *
   * Called with the slot free.
   *
   * @returns when the last of them returned or settled: from `at` on, time is looked up only where it has passed
   */
  advance(serial: boolean, at: Moment): Moment {
    let time = at;
    while (this.#nextEntry < this.#entries.length) {
      const entry = this.#entries[this.#nextEntry] as HandlerEntry;
      const result = this.results[this.#nextEntry] as EventResult;
      this.#nextEntry += 1;
      time = entry.target === null ? this.#run(entry, result, time) : this.#forward(entry, entry.target, result, time);
      if (entry.target === null) {
        if (result.settled && this.#isAnswered(result)) return time;
        if (serial && !result.settled && entry.holdsSlot) return time;
      }
      if (this.#nextEntry < this.#entries.length && isOverdue(time)) {
        this.#host.continue(this);
        return time;
      }
    }
    this.#checkDone(time);
    return time;
  }

  promote(): void {
    if (this.state === 'queued' && !this.arriving) this.#host.promote(this);
  }

  cancel(cause: unknown): void {
    if (this.state === 'done') return;
    if (isBusStoppedError(cause)) this.stoppedBy = cause.busName ?? '';
    if (this.state === 'queued') {
      if (!this.arriving) this.#host.unqueue(this);
      this.#begin(false, now());
    }
    this.#abort(this.#starting, cause);
    for (const run of membersOf(this.#running)) this.#abort(run, cause);
    while (this.#nextEntry < this.#entries.length) this.#cancelNext(cause);
    this.#checkDone(now());
  }

  delivered(): void {
    this.#host.delivered(this);
  }

  get log(): object | null {
    return this.#host.log;
  }

  record(at: Moment): void {
    this.#host.record(this, at);
  }

  completed(got: boolean): void {
    this.#host.completed(this, got);
  }

  suspended(run: HandlerRun): void {
    if (run.entry.holdsSlot) this.#host.release(run);
  }

  whenFree(run: HandlerRun, go: () => void): void {
    if (run.entry.holdsSlot) this.#host.whenFree(run, go);
    else go();
  }

  resumed(run: HandlerRun): void {
    if (run.entry.holdsSlot) this.#host.take(run);
  }

  settled(run: HandlerRun, at: Moment): void {
    this.#running = withoutMember(this.#running, run);
    run.onBegun?.();
    if (run.entry.holdsSlot) this.#slotWanted -= 1;
    // The slot last: whatever an observer does, nothing else starts within its call.
    this.#host.handlerEnded(this, run.runner, run.entry);
    this.#host.release(run);
    if (this.#starting === run || this.#isAnswered(run.runner)) return;
    if (run.entry.holdsSlot && this.#nextEntry < this.#entries.length) this.#host.continue(this);
    else this.#checkDone(at);
  }

  /** Ends the other handlers if the event needs one result and this is one. @returns whether that has ended the delivery */
  #isAnswered(result: EventResult): boolean {
    if (completionOf(this.event) === 'all' || !countsByDefault(result)) return false;
    this.cancel(firstResultError(result));
    return true;
  }

  /** Calls the handler. @returns when the call returned */
  #run(entry: HandlerEntry, result: EventResult, at: Moment): Moment {
    const run = new HandlerRun(this.event, entry, result, this);
    this.#starting = run;
    if (entry.holdsSlot) {
      this.#slotWanted += 1;
      this.#host.take(run);
    }
    this.#host.handlerStarted(this, result);
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

  /** Seconds for one handler: the event's, or the bus's if it states none; less if the handler has less. */
  #limit({ timeout }: HandlerEntry): number | null {
    const stated = statedTimeoutOf(this.event);
    const own = stated === undefined ? this.#host.eventTimeout : stated;
    if (timeout === null || own === null) return timeout ?? own;
    return Math.min(timeout, own);
  }

  /** Hands the event to another bus; its own result is the event, at once. */
  #forward(entry: HandlerEntry, target: ForwardTarget, result: EventResult, at: Moment): Moment {
    resultStarted(result, at);
    this.#host.handlerStarted(this, result);
    try {
      target.accept(this.event, this.#handlerContext());
      resultSettled(result, 'completed', this.event, at);
    } catch (error) {
      resultSettled(result, 'error', error, at);
    }
    this.#host.handlerEnded(this, result, entry);
    return at;
  }

  /**
   * The dispatcher's context for one handler. A handler may change it (`enterWith`), and where contexts live on
   * resources (Node.js before 24) that would reach whoever runs in the same resource: with several handlers each has
   * one of its own.
   */
  #handlerContext(): AsyncResource {
    if (this.#entries.length === 1) return this.#context;
    return this.#context.runInAsyncScope(() => new AsyncResource('threadbus.handler'));
  }

  #cancelNext(cause: unknown): void {
    const entry = this.#entries[this.#nextEntry] as HandlerEntry;
    const result = this.results[this.#nextEntry] as EventResult;
    this.#nextEntry += 1;
    const place: ErrorPlace = {
      busName: entry.source.busName,
      handlerName: entry.source.handlerName,
      eventType: this.event.event_type,
      eventId: this.event.event_id,
    };
    resultSettled(result, 'error', cancelledError(place, cause), now());
    this.#host.handlerEnded(this, result, entry);
  }

  /** One whose time hasn't begun waits for a thread. */
  #abort(run: HandlerRun | null, cause: unknown): void {
    if (run === null) return;
    run.onCancel?.();
    const { place, runner } = run;
    run.abort(runner.status === 'pending' ? cancelledError(place, cause) : abortedError(place, cause), cause);
  }

  #checkDone(at: Moment): void {
    if (this.state !== 'started' || this.#nextEntry < this.#entries.length) return;
    if (this.busy && this.#slotWanted === 0) {
      this.busy = false;
      this.#host.leave(this);
    }
    if (this.#starting?.runner.settled === false || !isEmpty(this.#running)) return;
    this.state = 'done';
    this.#entries = noEntries;
    this.onDone?.();
    this.lifecycle.partDone(at);
  }
}
