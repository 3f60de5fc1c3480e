import {
  BaseEvent,
  type Dispatch,
  EventBus,
  type Forward,
  type Handler,
  type HandlerContext,
  type AnyEvent,
  type Subscription,
} from '@threadbus/core';
import { busEngine } from '@threadbus/core/internal';
import { linkBuses, type LinkedBus } from '@threadbus/link';
import { MessageChannel } from 'node:worker_threads';
import type { LinkCall, LinkHandler, LinkProgram, LinkStep } from './link-program.ts';
import { describeEvent } from './link-program-events.ts';
import { type Body, LinkJournal } from './link-program-journal.ts';

/** A bus as one side reaches it. */
interface Reached {
  readonly name: string;
  readonly dispatch: Forward;
  on(pattern: string, handler: Handler<AnyEvent> | Forward): Subscription;
  expect(pattern: string, options: { signal: AbortSignal }): Promise<BaseEvent>;
  waitForCapacity(): Promise<void>;
}

/** What a program has done. */
export interface LinkTally {
  events: number;
  bodies: number;
  cycles: number;
  /** Milliseconds of work from a cycle's closing to its refusal, at most. */
  slowest: number;
}

const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };
/** Events of one program at most; with more its results are nobody's to compare. */
const most = 250;
const stuckAfterTurns = 400;
const stuckAfterMs = 400;

function ignore(): void {}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

/** One run of a program: over links, or with all buses in reach of each other. */
export class LinkProgramRun {
  readonly journal: LinkJournal;
  readonly #program: LinkProgram;
  readonly #linked: boolean;
  readonly #buses: EventBus[];
  /** By side, the bus itself first. */
  readonly #reach: Reached[][] = [];
  readonly #links: LinkedBus[] = [];
  /** Events that were seen on each side. */
  readonly #seen: BaseEvent[][];
  /** Those of each task, in its order. */
  readonly #roots: BaseEvent[][] = [];
  readonly #all: Dispatch<BaseEvent>[] = [];
  readonly #end = new AbortController();
  #tasks = 0;

  constructor(program: LinkProgram, linked: boolean) {
    this.#program = program;
    this.journal = new LinkJournal(program.havoc === null);
    this.#linked = linked;
    this.#buses = program.buses.map(
      ({ parallel }, i) =>
        new EventBus({
          name: `P${program.seed}${linked ? 'x' : 'y'}${i}`,
          parallelHandlers: parallel,
          maxPending: null,
          maxHistorySize: 0,
          logger: silent,
        }),
    );
    this.#seen = this.#buses.map(() => []);
  }

  get tally(): LinkTally {
    return {
      events: this.#all.length,
      bodies: this.journal.bodies,
      cycles: this.journal.cycles,
      slowest: this.journal.slowest,
    };
  }

  /** It had more events than are compared. */
  get cut(): boolean {
    return this.#all.length >= most;
  }

  /** @returns what became of the events that were dispatched outside handlers */
  async run(): Promise<string[]> {
    await this.#link();
    await this.#register();
    for (const { bus, steps } of this.#program.tasks) {
      const roots: BaseEvent[] = [];
      this.#roots.push(roots);
      void this.#task(bus, steps, roots);
    }
    const havoc = this.#wreak();
    await this.#untilSettled();
    await havoc;
    this.#end.abort();
    const results = this.#roots.flat().map(describeEvent);
    await nextTurn();
    if (this.#program.havoc === null) this.#checkCounters();
    for (const link of this.#links) link.close();
    for (const bus of this.#buses) await bus.stop({ clear: true });
    return results;
  }

  async #link(): Promise<void> {
    for (const bus of this.#buses) {
      this.journal.watch(bus);
      this.#reach.push([bus]);
      const side = this.#buses.indexOf(bus);
      bus.observe({ dispatched: (event) => void this.#seen[side]?.push(event) });
    }
    for (const { ends, maxInFlight } of this.#program.links) {
      const [a, b] = ends.map((end) => this.#buses[end] as EventBus) as [EventBus, EventBus];
      if (this.#linked) {
        const { port1, port2 } = new MessageChannel();
        const both = await Promise.all([linkBuses(a, port1, { maxInFlight }), linkBuses(b, port2, { maxInFlight })]);
        this.#links.push(...both);
        this.#reach[ends[0]]?.push(both[0]);
        this.#reach[ends[1]]?.push(both[1]);
      } else {
        this.#reach[ends[0]]?.push(b);
        this.#reach[ends[1]]?.push(a);
      }
    }
  }

  /** What is said on the bus's own side first: what others say takes a while to arrive, and comes one after the other. */
  async #register(): Promise<void> {
    const { handlers, forwards } = this.#program;
    const steps = [
      ...handlers.map((handler, index) => ({
        isLocal: handler.home === handler.bus,
        register: () =>
          this.#from(handler.home, handler.bus).on(`T${handler.type}`, this.#handler(handler, `h${index}`)),
      })),
      ...forwards.map(({ from, to, type, saidBy }) => ({
        isLocal: saidBy === 'from',
        register: () => {
          const side = saidBy === 'from' ? from : to;
          return this.#from(side, from).on(type < 0 ? '*' : `T${type}`, this.#from(side, to).dispatch);
        },
      })),
    ];
    for (const { isLocal, register } of steps) if (isLocal) register();
    for (const { isLocal, register } of steps) {
      if (isLocal) continue;
      register();
      for (let turn = 0; this.#linked && turn < 5; turn += 1) await nextTurn();
    }
  }

  /** A bus that one side can reach by name. */
  #from(side: number, bus: number): Reached {
    const name = this.#buses[bus]?.name;
    return this.#reach[side]?.find((reached) => reached.name === name) as Reached;
  }

  #handler({ bus, home, steps, end }: LinkHandler, name: string): Handler<AnyEvent> {
    const onBus = this.#buses[bus] as EventBus;
    const serial = home === bus && this.#program.buses[bus]?.parallel !== true;
    const handler = async (event: BaseEvent, { signal }: HandlerContext): Promise<unknown> => {
      const body = this.journal.begin(event, name, onBus.name, serial, signal);
      try {
        for (const step of steps) await this.#step(step, home, body);
        if (end === 'throw') throw new RangeError(name);
        if (end === 'dispatch') {
          const child = this.#dispatch({ reach: 1, type: 4 }, home, body)?.event;
          await this.#await(child, body);
          return child ?? name;
        }
        return name;
      } finally {
        this.journal.end(body);
      }
    };
    Object.defineProperty(handler, 'name', { value: name });
    return handler;
  }

  async #task(side: number, steps: readonly LinkStep[], roots: BaseEvent[]): Promise<void> {
    this.#tasks += 1;
    try {
      for (const step of steps) await this.#step(step, side, roots);
    } finally {
      this.#tasks -= 1;
    }
  }

  async #step(step: LinkStep, side: number, by: Body | BaseEvent[]): Promise<void> {
    const body = Array.isArray(by) ? null : by;
    if (step.do === 'pause') for (let turn = 0; turn < step.turns; turn += 1) await nextTurn();
    if (step.do === 'dispatch') this.#dispatch(step.call, side, by);
    if (step.do === 'call') await this.#await(this.#dispatch(step.call, side, by)?.event, body);
    if (step.do === 'all') {
      const sent = step.calls.map((call) => this.#dispatch(call, side, by));
      await Promise.all(sent.map((each) => this.#await(each?.event, body)));
    }
    if (step.do === 'await') {
      const seen = this.#seen[side] as BaseEvent[];
      await this.#await(seen[step.index % Math.max(1, seen.length)], body);
    }
    if (step.do === 'capacity') await this.#capacity(step.call, side, by);
    if (step.do === 'expect') this.#expect(step.reach, step.type, side);
  }

  #reached(side: number, reach: number): Reached {
    const reachable = this.#reach[side] as Reached[];
    return reachable[reach % reachable.length] as Reached;
  }

  #dispatch({ reach, type }: LinkCall, side: number, by: Body | BaseEvent[]): Dispatch<BaseEvent> | null {
    const body = Array.isArray(by) ? null : by;
    if (this.#all.length >= most) return null;
    const timeout = this.#program.havoc?.timeout ?? null;
    const event = new BaseEvent(
      {},
      { event_type: `T${type}`, event_timeout: timeout === null ? null : timeout / 1000 },
    );
    const live = body !== null && !body.done && !body.signal.aborted;
    try {
      const dispatch = this.#reached(side, reach).dispatch(event);
      this.journal.sent(event, live ? body.id : null);
      this.#all.push(dispatch);
      if (Array.isArray(by)) by.push(event);
      this.#seen[side]?.push(event);
      return dispatch;
    } catch (error) {
      if (this.#program.havoc === null) this.journal.violation(`dispatch threw ${String((error as Error).stack)}`);
      return null;
    }
  }

  async #await(event: BaseEvent | undefined, body: Body | null): Promise<void> {
    if (event === undefined) return;
    if (body === null) {
      await event.eventCompleted();
      this.#checkComplete(event);
      return;
    }
    const wait = this.journal.await(body, event.event_id);
    let failure: unknown = null;
    try {
      await event.eventCompleted();
      this.#checkComplete(event);
    } catch (error) {
      failure = error;
      if ((error as Error).name !== 'AwaitCycleError') this.journal.violation(`an await failed: ${String(error)}`);
    }
    this.journal.awaited(wait, failure);
  }

  #checkComplete({ event_status, event_type }: BaseEvent): void {
    if (event_status !== 'completed') this.journal.violation(`${event_type} is ${event_status} after it was awaited`);
  }

  async #capacity(call: LinkCall, side: number, by: Body | BaseEvent[]): Promise<void> {
    const body = Array.isArray(by) ? null : by;
    // What it awaits isn't known here.
    const wait = body === null ? null : this.journal.await(body, null);
    try {
      await this.#reached(side, call.reach).waitForCapacity();
    } catch (error) {
      const fine = (error as Error).name === 'BusCapacityError' && body !== null;
      if (!fine && this.#program.havoc === null) this.journal.violation(`waitForCapacity threw ${String(error)}`);
    }
    if (wait !== null) this.journal.awaited(wait, null);
    this.#dispatch(call, side, by);
  }

  #expect(reach: number, type: number, side: number): void {
    const { signal } = this.#end;
    const expected = this.#reached(side, reach).expect(`T${type}`, { signal });
    expected.then(
      (event) => this.#seen[side]?.push(event),
      () => undefined,
    );
  }

  async #wreak(): Promise<void> {
    const { havoc } = this.#program;
    if (havoc === null) return;
    for (let turn = 0; turn < havoc.turns; turn += 1) await nextTurn();
    if (havoc.what === 'close') this.#links[havoc.index % this.#links.length]?.close();
    if (havoc.what === 'stop') await this.#buses[havoc.index % this.#buses.length]?.stop();
  }

  /** Stuck is a program in which nothing happens any more, turn after turn. */
  async #untilSettled(): Promise<void> {
    let clock = -1;
    let turns = 0;
    let since = performance.now();
    const isOpen = ({ event }: Dispatch<BaseEvent>): boolean => event.event_status !== 'completed';
    while (
      this.#tasks > 0 ||
      this.#all.some(isOpen) ||
      this.#seen.flat().some((event) => event.event_status !== 'completed')
    ) {
      await nextTurn();
      turns += 1;
      if (this.journal.clock !== clock) {
        clock = this.journal.clock;
        turns = 0;
        since = performance.now();
      } else if (turns > stuckAfterTurns && performance.now() - since > stuckAfterMs) {
        const open = this.#seen.map(
          (events, side) =>
            `${side}: ${events
              .filter(({ event_status }) => event_status !== 'completed')
              .map(
                (event) =>
                  `${event.event_type}#${event.event_id.slice(-4)} ${event.event_status} ${event.event_path.join('>')}`,
              )
              .join(', ')}`,
        );
        this.journal.violation(`stuck: ${this.#tasks} tasks; ${this.journal.pending()}\n${open.join('\n')}`);
        return;
      }
    }
  }

  #checkCounters(): void {
    for (const bus of this.#buses) {
      const { capacity, loop, history } = busEngine(bus);
      const left = [capacity.pending, loop.queued, history.openSize];
      if (left.some((count) => count > 0)) this.journal.violation(`${bus.name} is left with ${left.join(', ')}`);
    }
    for (const link of this.#links) {
      if (!String(link).includes('(0 in flight)')) this.journal.violation(`a link is left with ${String(link)}`);
    }
  }
}
