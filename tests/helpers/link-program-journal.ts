import type { BaseEvent, EventBus } from '@threadbus/core';

/** One run of one handler's body. */
export interface Body {
  readonly id: string;
  readonly name: string;
  readonly bus: string;
  /** Holds the slot of its bus while it isn't suspended. */
  readonly serial: boolean;
  readonly signal: AbortSignal;
  awaits: number;
  done: boolean;
}

/** An await of a body, as long as it goes on. */
export interface Await {
  readonly body: Body;
  readonly awaited: string;
  /** There was a cycle at some moment since it began, or may have been. */
  cyclic: boolean;
  /** When there was one for certain, in milliseconds of this process's work: it may have to wait for others. */
  closedAt: number | null;
}

/** Milliseconds of work after which a cycle is to be refused. */
const refusedWithin = 100;

function worked(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

/**
 * What is known of the events of a program, each one node however many objects it is, and of who waits for whom: the
 * oracle that tells true cycles from false ones.
 */
export class LinkJournal {
  readonly violations: string[] = [];
  /** Nothing ends an await but its event: with limits and lost links a probe may have passed one that is over by now. */
  readonly #calm: boolean;
  /** Counts whatever happens. */
  clock = 0;
  bodies = 0;
  cycles = 0;
  /** Milliseconds of work from the moment in which a cycle was closed to its refusal, at most. */
  slowest = 0;
  readonly #children = new Map<string, string[]>();
  readonly #awaits = new Set<Await>();
  readonly #running = new Map<string, Set<Body>>();
  readonly #ran = new Set<string>();
  readonly #queued = new Map<string, string[]>();
  #awaited = false;

  constructor(calm: boolean) {
    this.#calm = calm;
  }

  violation(text: string): void {
    this.violations.push(text);
  }

  /** @param parent of a live handler; null if nothing waits for the event */
  sent(event: BaseEvent, parent: string | null): void {
    this.clock += 1;
    if (parent === null) return;
    const children = this.#children.get(parent);
    if (children === undefined) this.#children.set(parent, [event.event_id]);
    else children.push(event.event_id);
  }

  watch(bus: EventBus): void {
    const queued: string[] = [];
    this.#queued.set(bus.name, queued);
    bus.observe({
      dispatched: ({ event_id }) => {
        this.clock += 1;
        queued.push(event_id);
      },
      started: ({ event_id, event_type }) => {
        this.clock += 1;
        const at = queued.indexOf(event_id);
        queued.splice(at, 1);
        if (at > 0 && !this.#awaited) this.violation(`${event_type} on ${bus.name} overtakes ${at}, and nobody awaits`);
      },
      completed: () => {
        this.clock += 1;
      },
    });
  }

  begin(event: BaseEvent, name: string, bus: string, serial: boolean, signal: AbortSignal): Body {
    this.clock += 1;
    this.bodies += 1;
    const key = `${name} on ${bus} for ${event.event_id}`;
    if (this.#ran.has(key)) this.violation(`${name} on ${bus} runs twice for ${event.event_type}`);
    this.#ran.add(key);
    const body = { id: event.event_id, name, bus, serial, signal, awaits: 0, done: false };
    this.#goesOn(body, 'starts');
    return body;
  }

  end(body: Body): void {
    this.clock += 1;
    body.done = true;
    this.#running.get(body.bus)?.delete(body);
  }

  await(body: Body, awaited: string | null): Await {
    this.clock += 1;
    this.#awaited = true;
    body.awaits += 1;
    this.#running.get(body.bus)?.delete(body);
    const own: Await = { body, awaited: awaited ?? '', cyclic: false, closedAt: null };
    this.#awaits.add(own);
    for (const each of this.#awaits) this.#look(each);
    return own;
  }

  awaited(own: Await, error: unknown): void {
    this.clock += 1;
    this.#look(own);
    this.#awaits.delete(own);
    const { body } = own;
    if ((error as Error | null)?.name === 'AwaitCycleError') {
      this.cycles += 1;
      if (!own.cyclic && this.#calm)
        this.violation(`${body.name} on ${body.bus} was refused an await that closes no cycle`);
      if (own.closedAt !== null && this.#calm) this.#refused(own, worked() - own.closedAt);
    }
    body.awaits -= 1;
    if (body.awaits === 0 && !body.done) this.#goesOn(body, 'goes on');
  }

  /** What goes on, for the report of a program that got stuck. */
  pending(): string {
    return [...this.#awaits]
      .map(({ body, awaited }) => `${body.name} of #${body.id.slice(-4)} on ${body.bus} awaits #${awaited.slice(-4)}`)
      .join('; ');
  }

  #goesOn(body: Body, what: string): void {
    if (!body.serial || body.signal.aborted) return;
    const running = this.#running.get(body.bus) ?? new Set();
    this.#running.set(body.bus, running);
    for (const other of running) {
      if (!other.signal.aborted) this.violation(`${body.name} ${what} on ${body.bus} while ${other.name} runs`);
    }
    running.add(body);
  }

  #look(each: Await): void {
    if (each.closedAt !== null) return;
    const { awaited, body } = each;
    each.cyclic ||= this.#needs(awaited, body.id, true);
    if (each.cyclic && this.#needs(awaited, body.id, false)) each.closedAt = worked();
  }

  #refused({ body }: Await, after: number): void {
    this.slowest = Math.max(this.slowest, after);
    if (after > refusedWithin)
      this.violation(`${body.name} on ${body.bus} was refused only ${Math.round(after)} ms after it closed a cycle`);
  }

  /**
   * Whether `from` can't complete before `own`, as far as is known.
   *
   * @param unknown what to take a wait for, of which it isn't known here what it awaits
   */
  #needs(from: string, own: string, unknown: boolean): boolean {
    const needed = new Set([from]);
    for (const id of needed) {
      if (id === own) return true;
      if (id === '' && unknown) return true;
      for (const child of this.#children.get(id) ?? []) needed.add(child);
      for (const { body, awaited } of this.#awaits) if (body.id === id && !body.done) needed.add(awaited);
    }
    return false;
  }
}
