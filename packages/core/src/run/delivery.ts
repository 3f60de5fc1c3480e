import { AsyncResource, executionAsyncId } from 'node:async_hooks';
import type { BaseEvent } from '../event/base-event.ts';
import { type Moment, now } from '../basics/clock.ts';
import type { Counted } from './counted.ts';
import { DeliveryWork, type WorkHost } from './delivery-work.ts';
import type { RunningBus } from '../event/dispatch.ts';
import { isBusStoppedError } from '../basics/errors.ts';
import type { EventResult } from '../event/event-result.ts';
import type { InFlight } from '../history/history.ts';
import type { Lifecycle, Part } from '../event/lifecycle.ts';
import type { Linked } from '../basics/linked-list.ts';
import type { OpenList } from '../history/open-list.ts';
import { lifecycleOf } from '../event/result-helpers.ts';
import { listOf, type SmallList } from '../basics/small-list.ts';

/** What a delivery needs of its bus. */
export interface DeliveryHost extends WorkHost<Delivery> {
  /** Takes a queued delivery out of the queue, or moves it ahead of it. */
  unqueue(delivery: Delivery): void;
  promote(delivery: Delivery): void;
  delivered(delivery: Delivery): void;
  readonly log: object | null;
  /** The event is finished, and has one more line to write. */
  record(delivery: Delivery, at: Moment): void;
  /** @param got somebody who waited has the event's errors */
  completed(delivery: Delivery, got: boolean): void;
}

const noResults: readonly EventResult[] = [];

/**
 * One event on one bus: queued, then started, then done when each of its handlers has settled.
 *
 * It is the async resource of the dispatch, too: in its context the event's one handler is called. When that is a
 * forward, the next delivery takes over the context, because to enter one costs more than a field. A bus may hold a hundred
 * thousand deliveries that wait, and Node.js copies each object that lives that long twice: so what is needed only while
 * handlers are at work is apart, and comes and goes with them.
 */
export class Delivery extends AsyncResource implements Part, Linked<Delivery>, InFlight<Delivery> {
  previous: Delivery | null = null;
  next: Delivery | null = null;
  earlier: Delivery | null = null;
  later: Delivery | null = null;
  arrival = 0;
  list: OpenList<Delivery> | null = null;
  nextPart: Part | null = null;
  /** 'arriving' as long as its arrival is not logged: it is in front of the queue. */
  state: 'arriving' | 'queued' | 'started' | 'done' = 'queued';
  failure: Counted['failure'] = 'none';
  /** Number of the loop's turn in which the event was awaited; 0 = it isn't. */
  awaitedTurn = 0;
  readonly lifecycle: Lifecycle;
  runners: SmallList<EventResult> = noResults;
  /** Name of the bus whose stop ended it here; null if it ended otherwise. */
  stoppedBy: string | null = null;
  /** Called once when all handlers have settled here. */
  onDone: (() => void) | null = null;
  readonly #host: DeliveryHost;
  /** In which the handlers are to run; one of its own unless it was forwarded. */
  readonly context: AsyncResource;
  /** While started. */
  #work: DeliveryWork<Delivery> | null = null;

  /** Made for handlers that are to run in a context as that one, which others may have as well. */
  static within(context: AsyncResource, event: BaseEvent, host: DeliveryHost): Delivery {
    if (context instanceof Delivery) return new Delivery(event, host, context);
    return context.runInAsyncScope(newDelivery, undefined, event, host);
  }

  /** Made in the context in which the handlers are to run, unless they run in another delivery's, which is done with it. */
  constructor(event: BaseEvent, host: DeliveryHost, from: Delivery | null = null) {
    super('threadbus.event', triggerId());
    this.lifecycle = lifecycleOf(event);
    this.#host = host;
    this.context = from === null ? this : from.context;
  }

  get event(): BaseEvent {
    return this.lifecycle.event as BaseEvent;
  }

  get results(): readonly EventResult[] {
    return listOf(this.runners);
  }

  get runningBus(): RunningBus {
    return this.#host.bus;
  }

  get over(): boolean {
    return this.state === 'done';
  }

  /** Fixes which handlers the event has on this bus. */
  start(at: Moment): void {
    Delivery.#begin(this, true, at);
  }

  // Static, because an instance with private methods has a field more.
  static #begin(delivery: Delivery, starting: boolean, at: Moment): DeliveryWork<Delivery> {
    const { lifecycle } = delivery;
    delivery.state = 'started';
    lifecycle.start(at);
    const work = new DeliveryWork(delivery, delivery.#host, starting);
    delivery.#work = work;
    if (!work.isEmpty) lifecycle.extras.onResults?.();
    delivery.#host.started(delivery);
    return work;
  }

  /** Starts handlers in order, as far as can be now: see DeliveryWork. @returns when the last of them settled, or `never` */
  advance(serial: boolean, at: Moment): Moment {
    return this.#work === null ? at : this.#work.advance(serial, at);
  }

  promote(): void {
    if (this.state === 'queued') this.#host.promote(this);
  }

  cancel(cause: unknown): void {
    if (this.state === 'done') return;
    if (isBusStoppedError(cause)) this.stoppedBy = cause.busName ?? '';
    if (this.state === 'queued') this.#host.unqueue(this);
    (this.#work ?? Delivery.#begin(this, false, now())).cancel(cause);
  }

  /** All handlers have settled. */
  done(at: Moment): void {
    this.state = 'done';
    this.#work = null;
    this.onDone?.();
    this.lifecycle.partDone(at);
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
}

/** What Node.js takes by itself, as an integer that V8 keeps in the field: a double would be one more object. */
function triggerId(): number {
  const id = executionAsyncId();
  return id < 2 ** 31 ? id | 0 : id;
}

function newDelivery(event: BaseEvent, host: DeliveryHost): Delivery {
  return new Delivery(event, host);
}
