import type { BaseEvent, BusObserver, EventBus, HandlerContext } from '@threadbus/core';
import type { BusPlan, HandlerPlan } from './random-program.ts';
import { Activity, BusWatch, Sent } from './random-program-records.ts';

interface Suspicion {
  readonly sent: Sent;
  readonly bus: EventBus;
  readonly text: string;
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
  /** Events that started beside others though nobody awaited them. */
  beside = 0;
  readonly #suspicions: Suspicion[] = [];
  #vague = 0;

  violation(text: string): void {
    this.violations.push(text);
  }

  watch(bus: EventBus, plan: BusPlan): BusWatch {
    const watch = new BusWatch(bus, plan);
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
    context.signal.addEventListener('abort', () => {
      this.clock += 1;
      activity.endedAt = this.clock;
    });
    if (sent.activities.some((other) => other.name === name)) this.violation(`${activity.toString()} runs twice`);
    this.#checkAlone(activity, 'starts');
    if (sent.cancelled) this.violation(`${activity.toString()} starts though its event was cancelled`);
    if (sent.first && countingOn(sent, bus).length > 0) this.violation(`${activity.toString()} starts after an answer`);
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

  /**
   * Whether `from` can't complete before `own` does, as far as the journal knows.
   *
   * @param since what ended after that, by the journal's clock, counts as going on
   */
  needs(from: Sent, own: Sent, since = Infinity): boolean {
    const needed = new Set([from]);
    for (const sent of needed) {
      if (sent === own) return true;
      if (sent.completed && sent.completedAt < since) continue;
      for (const child of sent.children) needed.add(child);
      for (const activity of sent.activities) {
        if (!activity.live && activity.endedAt < since) continue;
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
    if (sent === undefined) return;
    watch.queued.add(sent);
    watch.arrived.push(sent);
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
    const beside = new Set([...watch.inProgress].filter(({ live }) => live).map((activity) => activity.sent));
    if (beside.size > 0) this.beside += 1;
    // On a parallel bus a limit of one means the same as elsewhere.
    if (beside.size >= watch.concurrency) suspect(`starts beside ${[...beside].join(', ')}, though nobody awaits it`);
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
    const { bus, sent } = activity;
    if (bus.parallel) return;
    for (const other of bus.inProgress) {
      if (other === activity || !other.live) continue;
      // The handlers of one event run one after the other, however many events are in progress.
      if (other.sent === sent || (bus.serial && other.state === 'running'))
        this.violation(`${activity.toString()} ${what} while ${other.toString()} runs`);
    }
  }

  /** A wait whose subject isn't known here may run any event that is under way ahead of the queues. */
  #markAll(): void {
    for (const sent of this.events.values()) if (!sent.completed) sent.awaited = true;
  }

  #checkTree(sent: Sent): void {
    const { event } = sent;
    if (sent.first) this.#checkFirst(sent);
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

  /** The signal of an event aborts: whatever of it runs is ended at once. */
  cancel(sent: Sent, reason: Error): void {
    this.clock += 1;
    sent.cancelled = !sent.completed;
    sent.controller?.abort(reason);
    for (const activity of sent.activities) {
      if (activity.state !== 'done' && !activity.ended)
        this.violation(`${activity.toString()} goes on though cancelled`);
    }
  }

  #checkFirst(sent: Sent): void {
    for (const watch of this.watches) {
      const answers = countingOn(sent, watch);
      if (answers.length > 1) this.violation(`${sent.toString()} has ${answers.length} answers on ${watch.bus.name}`);
    }
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

/** What a result helper would give of the event's results on that bus. */
function countingOn({ event }: Sent, { bus }: BusWatch): unknown[] {
  return [...event.event_results.values()].filter(
    ({ eventbus_id, status, result }) =>
      eventbus_id === bus.id &&
      status === 'completed' &&
      result !== null &&
      !(typeof result === 'object' && 'event_id' in result),
  );
}
