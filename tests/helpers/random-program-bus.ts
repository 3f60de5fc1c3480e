import { type BaseEvent, EventBus, type Middleware } from '@threadbus/core';
import { busEngine } from '@threadbus/core/internal';
import type { Journal } from './random-program-journal.ts';
import type { BusPlan, Wrap } from './random-program.ts';
import type { BusWatch } from './random-program-records.ts';

const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {}

/** What a blocked event has instead of what its handler would have returned. */
const blocked = 'blocked';

/** A bus as planned, and a reader of all that is dispatched to it. */
export class ProgramBus {
  readonly watch: BusWatch;
  readonly #journal: Journal;
  readonly #stream: AsyncIterable<BaseEvent>;
  readonly #isWhole: boolean;

  constructor(plan: BusPlan, journal: Journal, wrapped: () => void) {
    const { parallel, wraps, ...options } = plan;
    const bus = new EventBus({ parallelHandlers: parallel, ...options, logger: silent });
    for (const wrap of wraps) bus.use(counted(middlewares[wrap], wrapped));
    this.#journal = journal;
    this.#isWhole = options.maxHistorySize === null;
    this.watch = journal.watch(bus, plan);
    this.#stream = bus.events('*', { buffer: null });
  }

  /** What `filter` finds of a bus that forgets nothing. */
  checkFilter(): void {
    const { bus, arrived } = this.watch;
    if (!this.#isWhole || busEngine(bus).stopped) return;
    const found = bus.filter('*').filter(({ event_type }) => event_type !== 'Probe');
    const expected = new Set(arrived.map(({ event }) => event));
    if (found.length !== expected.size || found.some((event) => !expected.has(event)))
      this.#journal.violation(`${bus.name} finds ${found.length} events; ${expected.size} were dispatched to it`);
    if (bus.filter('Type1', { limit: 1 })[0] !== found.find(({ event_type }) => event_type === 'Type1'))
      this.#journal.violation(`${bus.name} doesn't find the newest event of a type`);
  }

  /** Stops it: what was to be read are the events that it got, in order. */
  async stop(): Promise<void> {
    const { bus, arrived } = this.watch;
    await bus.stop({ clear: true });
    const read: BaseEvent[] = [];
    for await (const event of this.#stream) if (event.event_type !== 'Probe') read.push(event);
    if (read.length !== arrived.length || read.some((event, at) => event !== arrived[at]?.event))
      this.#journal.violation(`${bus.name} told ${read.join(', ')}; it got ${arrived.join(', ')}`);
  }
}

const middlewares: Readonly<Record<Wrap, Middleware>> = {
  pass: (_event, _context, next) => next(),
  late: async (_event, _context, next) => {
    await new Promise((resolve) => void setImmediate(resolve));
    const value = await next();
    await Promise.resolve();
    return value;
  },
  block: (event, _context, next) => (event.event_type === 'Type3' ? blocked : next()),
};

function counted(middleware: Middleware, wrapped: () => void): Middleware {
  return (event, context, next) => {
    wrapped();
    return middleware(event, context, next);
  };
}
