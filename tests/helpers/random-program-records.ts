import type { BaseEvent, Dispatch, EventBus, HandlerContext } from '@threadbus/core';
import type { BusPlan, HandlerPlan } from './random-program.ts';

/** One event of the program, as the program saw it. */
export class Sent {
  readonly event: BaseEvent;
  /** The handler's body that dispatched it. */
  readonly by: Activity | null;
  /** Dispatched by a live handler, so that handler's event must wait for it. */
  readonly linked: boolean;
  dispatch: Dispatch<BaseEvent> | null = null;
  /** Null if it has no signal of its own. */
  controller: AbortController | null = null;
  /** Its signal has aborted before it was complete. */
  cancelled = false;
  /** One result completes it on each bus. */
  first = false;
  /** A live handler awaited it (and it hasn't completed since). */
  awaited = false;
  /** Dispatched to one more bus after it had completed. An await reaches it a microtask late, and may meet it open again. */
  reopened = false;
  /** Awaits of live handlers. */
  handlerWaits = 0;
  /** When it completed, by the journal's clock; of one that was reopened: the last time. */
  completedAt = 0;
  readonly children: Sent[] = [];
  readonly activities: Activity[] = [];
  /** Waits from outside any handler. */
  readonly outsideWaits = new Set<object>();

  constructor(event: BaseEvent, by: Activity | null, linked: boolean) {
    this.event = event;
    this.by = by;
    this.linked = linked;
  }

  get completed(): boolean {
    return this.event.event_status === 'completed';
  }

  /** Awaited by a handler itself, or as what an awaited event's settled handler left behind. */
  get covered(): boolean {
    if (this.awaited || (this.reopened && this.handlerWaits > 0)) return true;
    return this.by !== null && this.linked && !this.by.live && this.by.sent.covered;
  }

  toString(): string {
    return `${this.event.event_type}#${this.event.event_id.slice(-4)}`;
  }
}

/** One run of one handler's body. */
export class Activity {
  readonly number: number;
  readonly sent: Sent;
  readonly plan: HandlerPlan | null;
  readonly name: string;
  readonly bus: BusWatch;
  readonly #context: HandlerContext;
  state: 'running' | 'suspended' | 'done' = 'running';
  readonly awaiting = new Set<object>();
  readonly awaited: Sent[] = [];
  /** Waits for the bus rather than for one event: what for isn't known here. */
  vague = 0;
  /** When it was ended from outside, by the journal's clock; 0 = it wasn't. */
  endedAt = 0;
  outcome: { value: unknown } | { error: unknown } | null = null;

  constructor(
    number: number,
    sent: Sent,
    plan: HandlerPlan | null,
    name: string,
    bus: BusWatch,
    context: HandlerContext,
  ) {
    this.number = number;
    this.sent = sent;
    this.plan = plan;
    this.name = name;
    this.bus = bus;
    this.#context = context;
  }

  /** Neither returned nor ended from outside. */
  get live(): boolean {
    return this.state !== 'done' && !this.#context.signal.aborted;
  }

  get ended(): boolean {
    return this.#context.signal.aborted;
  }

  toString(): string {
    return `${this.name} of ${this.sent.toString()} on ${this.bus.bus.name} (${this.state})`;
  }
}

/** What is known of one bus. */
export class BusWatch {
  readonly bus: EventBus;
  /** The handlers of one event run side by side, and so do all events. */
  readonly parallel: boolean;
  /** How many events may be in progress that nobody awaits. */
  readonly concurrency: number;
  /** All that were dispatched to it, in order. */
  readonly arrived: Sent[] = [];
  /** Arrived and not started, in order of arrival. */
  readonly queued = new Set<Sent>();
  readonly inProgress = new Set<Activity>();
  stopped = false;

  constructor(bus: EventBus, { parallel, concurrency }: BusPlan) {
    this.bus = bus;
    this.parallel = parallel;
    this.concurrency = concurrency ?? Infinity;
  }

  /** Never are two handlers at work at once. */
  get serial(): boolean {
    return !this.parallel && this.concurrency === 1;
  }
}
