import type { BaseEvent, BusObserver, Dispatch, EventBus, HandlerContext } from '@threadbus/core';
import type { HandlerPlan } from './random-program.ts';

/** One event of the program, as the program saw it. */
export class Sent {
  readonly event: BaseEvent;
  /** The handler's body that dispatched it. */
  readonly by: Activity | null;
  /** Dispatched by a live handler, so that handler's event must wait for it. */
  readonly linked: boolean;
  dispatch: Dispatch<BaseEvent> | null = null;
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

interface Suspicion {
  readonly sent: Sent;
  readonly bus: EventBus;
  readonly text: string;
}

/** What is known of one bus. */
export class BusWatch {
  readonly bus: EventBus;
  readonly parallel: boolean;
  /** Arrived and not started, in order of arrival. */
  readonly queued = new Set<Sent>();
  readonly inProgress = new Set<Activity>();
  stopped = false;

  constructor(bus: EventBus, parallel: boolean) {
    this.bus = bus;
    this.parallel = parallel;
  }
}

/**
 * Writes down what happens in a program, through observers of its buses and from within its handlers, and compares it
 * with the rules.
 */
export class Journal {
  readonly events = new Map<BaseEvent, Sent>();
  readonly activities: Activity[] = [];
  readonly watches: BusWatch[] = [];
  readonly violations: string[] = [];
  /** Counts whatever happens. */
  clock = 0;
  /** Pauses under way. */
  sleeping = 0;
  /** Tasks, bodies and late parts that have not ended. */
  unfinished = 0;
  readonly #suspicions: Suspicion[] = [];
  #vague = 0;

  violation(text: string): void {
    this.violations.push(text);
  }

  watch(bus: EventBus, parallel: boolean): BusWatch {
    const watch = new BusWatch(bus, parallel);
    this.watches.push(watch);
    const observer: BusObserver = {
      dispatched: (event) => this.#arrived(watch, event),
      started: (event) => this.#started(watch, event),
      completed: (event) => this.#completed(event),
    };
    bus.observe(observer);
    return watch;
  }

  send(event: BaseEvent, by: Activity | null, detached: boolean): Sent {
    const sent = new Sent(event, by, by !== null && by.live && !detached);
    this.events.set(event, sent);
    return sent;
  }

  begin(sent: Sent, plan: HandlerPlan | null, name: string, bus: BusWatch, context: HandlerContext): Activity {
    this.clock += 1;
    this.unfinished += 1;
    const activity = new Activity(this.activities.length + 1, sent, plan, name, bus, context);
    if (sent.activities.some((other) => other.name === name)) this.violation(`${activity.toString()} runs twice`);
    this.#checkAlone(activity, 'starts');
    sent.activities.push(activity);
    this.activities.push(activity);
    bus.inProgress.add(activity);
    return activity;
  }

  end(activity: Activity, outcome: Activity['outcome']): void {
    this.clock += 1;
    this.unfinished -= 1;
    activity.bus.inProgress.delete(activity);
    activity.outcome = outcome;
    activity.state = 'done';
  }

  /** A live handler begins to await an event; call what it returns when the await is over. */
  suspend(activity: Activity, sent: Sent | null): () => void {
    this.clock += 1;
    const token = { sent };
    activity.state = 'suspended';
    activity.awaiting.add(token);
    if (sent === null) {
      activity.vague += 1;
      this.#vague += 1;
      this.#markAll();
    } else {
      sent.handlerWaits += 1;
      if (!sent.completed) sent.awaited = true;
    }
    return () => {
      this.clock += 1;
      activity.awaiting.delete(token);
      if (sent === null) {
        activity.vague -= 1;
        this.#vague -= 1;
        this.#markAll();
      } else sent.handlerWaits -= 1;
      if (activity.awaiting.size > 0 || activity.state === 'done') return;
      activity.state = 'running';
      if (activity.live) this.#checkAlone(activity, 'goes on');
    };
  }

  /** Whether `from` can't complete before `own` does, as far as the journal knows. */
  needs(from: Sent, own: Sent): boolean {
    const needed = new Set([from]);
    for (const sent of needed) {
      if (sent === own) return true;
      if (sent.completed) continue;
      for (const child of sent.children) needed.add(child);
      for (const activity of sent.activities) {
        if (!activity.live) continue;
        if (activity.vague > 0) return true;
        for (const token of activity.awaiting) needed.add((token as { sent: Sent }).sent);
      }
    }
    return false;
  }

  /** Everything that the program started has ended. */
  get finished(): boolean {
    if (this.unfinished > 0 || this.sleeping > 0) return false;
    for (const sent of this.events.values()) if (!sent.completed) return false;
    return true;
  }

  /** What the journal can say only in the end. */
  check(calm: boolean): void {
    for (const { sent, bus, text } of this.#suspicions) {
      const first = [...sent.event.event_results.values()].find((result) => result.eventbus_id === bus.id);
      const cancelled = (first?.error as Error | undefined)?.name === 'HandlerCancelledError';
      if (first === undefined ? calm : !cancelled) this.violation(text);
    }
    for (const sent of this.events.values()) this.#checkTree(sent);
    for (const activity of this.activities) this.#checkOutcome(activity);
  }

  /** What is unfinished, for the report of a program that got stuck. */
  stuck(): string {
    const events = [...this.events.values()].filter((sent) => !sent.completed);
    const activities = this.activities.filter(({ state }) => state !== 'done');
    return [
      'The program is stuck.',
      ...events.map(
        (sent) => `  ${sent.toString()} is ${sent.event.event_status}, path ${sent.event.event_path.join(' > ')}`,
      ),
      ...activities.map((activity) => {
        const awaited = [...activity.awaiting].map((token) => String((token as { sent: Sent | null }).sent));
        return `  ${activity.toString()} awaits ${awaited.join(', ')}`;
      }),
      `  ${this.unfinished} unfinished bodies and tasks`,
    ].join('\n');
  }

  #arrived(watch: BusWatch, event: BaseEvent): void {
    this.clock += 1;
    const sent = this.events.get(event);
    if (sent !== undefined) watch.queued.add(sent);
  }

  #started(watch: BusWatch, event: BaseEvent): void {
    this.clock += 1;
    const sent = this.events.get(event);
    if (sent === undefined) return;
    const [first] = watch.queued;
    watch.queued.delete(sent);
    if (sent.covered || this.#vague > 0) return;
    const suspect = (text: string): unknown =>
      this.#suspicions.push({ sent, bus: watch.bus, text: `${sent.toString()} on ${watch.bus.name} ${text}` });
    if (first !== sent) suspect(`overtakes ${String(first)}, though nobody awaits it`);
    for (const activity of watch.inProgress) {
      if (activity.live) suspect(`starts beside ${activity.toString()}, though nobody awaits it`);
    }
  }

  #completed(event: BaseEvent): void {
    this.clock += 1;
    const sent = this.events.get(event);
    if (sent === undefined) return;
    if (!sent.completed) this.violation(`${sent.toString()} is reported complete, its status is ${event.event_status}`);
    sent.awaited = false;
    if (sent.completedAt === 0 || sent.reopened) sent.completedAt = this.clock;
    const waits = [...sent.outsideWaits];
    if (waits.length === 0) return;
    this.sleeping += 1;
    setImmediate(() => {
      this.sleeping -= 1;
      if (!sent.reopened && waits.some((wait) => sent.outsideWaits.has(wait)))
        this.violation(`${sent.toString()} is complete, but a wait for it goes on`);
    });
  }

  /** Nothing else may run on a serial bus when `activity` starts or goes on. */
  #checkAlone(activity: Activity, what: string): void {
    if (activity.bus.parallel) return;
    for (const other of activity.bus.inProgress) {
      if (other !== activity && other.state === 'running' && other.live)
        this.violation(`${activity.toString()} ${what} while ${other.toString()} runs`);
    }
  }

  /** A wait whose subject isn't known here may run any event that is under way ahead of the queues. */
  #markAll(): void {
    for (const sent of this.events.values()) if (!sent.completed) sent.awaited = true;
  }

  #checkTree(sent: Sent): void {
    const { event } = sent;
    const listed = event.event_children;
    for (const child of sent.children) {
      if (!listed.includes(child.event)) this.violation(`${child.toString()} is no child of ${sent.toString()}`);
      if (!child.reopened && child.completedAt > sent.completedAt)
        this.violation(`${sent.toString()} completed before ${child.toString()}`);
      const times = [sent, child].map(({ event: { event_completed_at } }) => Date.parse(event_completed_at ?? ''));
      if (!child.reopened && (times[0] as number) < (times[1] as number))
        this.violation(`event_completed_at of ${sent.toString()} is before that of ${child.toString()}`);
    }
    if (listed.length !== sent.children.length)
      this.violation(`${sent.toString()} has ${listed.length} children; ${sent.children.length} were dispatched`);
    const parentId = sent.by === null ? null : sent.by.sent.event.event_id;
    if (event.event_parent_id !== parentId && (sent.linked || event.event_parent_id !== null))
      this.violation(`${sent.toString()} has the parent ${event.event_parent_id}, expected ${parentId}`);
  }

  #checkOutcome(activity: Activity): void {
    const { sent, name, bus, outcome, ended } = activity;
    const results = [...sent.event.event_results.values()].filter(
      (result) => result.handler_name === name && result.eventbus_id === bus.bus.id,
    );
    if (results.length !== 1) this.violation(`${activity.toString()} has ${results.length} results`);
    const [result] = results;
    if (result === undefined || outcome === null) return;
    if (ended) {
      const names = ['HandlerTimeoutError', 'HandlerAbortedError', 'RecursionLimitError'];
      if (!names.includes((result.error as Error).name))
        this.violation(`${activity.toString()} was ended with ${String(result.error)}`);
    } else if ('value' in outcome ? result.result !== outcome.value : result.error !== outcome.error) {
      this.violation(`${activity.toString()} has the result ${String(result.result)} / ${String(result.error)}`);
    }
  }
}
