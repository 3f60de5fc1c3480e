import { BaseEvent, EventBus, type Logger } from '@threadbus/core';
import { check, type Contestant } from './scenario.ts';

const Simple = BaseEvent.extend('Simple', {});
const Parent = BaseEvent.extend('Parent', {});
const Child = BaseEvent.extend('Child', {});
const Grandchild = BaseEvent.extend('Grandchild', {});

export const stream: Contestant = async (events, measure) => {
  await using bus = new EventBus({ maxHistorySize: 512, maxPending: null });
  let handled = 0;
  bus.on(Simple, () => void (handled += 1));
  await measure(async () => {
    for (let sent = 0; sent < events;) {
      for (const end = Math.min(sent + 500, events); sent < end; sent += 1) bus.dispatch(new Simple());
      await bus.waitUntilIdle();
    }
  });
  check(handled, events);
};

export const manyBuses: Contestant = async (events, measure) => {
  let handled = 0;
  await measure(async () => {
    for (let sent = 0; sent < events;) {
      const bus = new EventBus({ maxHistorySize: 128 });
      bus.on(Simple, () => void (handled += 1));
      for (const end = sent + 100; sent < end; sent += 1) bus.dispatch(new Simple());
      await bus.waitUntilIdle();
      await bus.stop({ clear: true });
    }
  });
  check(handled, events);
};

export const parallelHandlers: Contestant = async (handlers, measure) => {
  await using bus = new EventBus({ maxHistorySize: 128, parallelHandlers: true });
  let handled = 0;
  for (let n = 0; n < handlers; n += 1) bus.on(Simple, () => void (handled += 1));
  await measure(async () => bus.dispatch(new Simple()));
  check(handled, handlers);
};

export const oneOffHandlers: Contestant = async (events, measure) => {
  await using bus = new EventBus({ maxHistorySize: 128 });
  let handled = 0;
  await measure(async () => {
    for (let n = 0; n < events; n += 1) {
      const handler = (): void => void (handled += 1);
      bus.on(Simple, handler);
      await bus.dispatch(new Simple());
      bus.off(Simple, handler);
    }
  });
  check(handled, events);
};

export const worstCaseInTurn: Contestant = async (events, measure) => {
  await using lane = new Lane();
  await measure(async () => lane.run(events / 3));
  lane.check(events / 3);
};

export const worstCaseAtOnce: Contestant = async (events, measure) => {
  const lanes = Array.from({ length: 50 }, () => new Lane());
  await measure(async () => Promise.all(lanes.map(async (lane) => lane.run(events / 150))));
  for (const lane of lanes) {
    lane.check(events / 150);
    await lane[Symbol.asyncDispose]();
  }
};

/** What fails here is meant to; abxbus doesn't log it either. */
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Three buses. Each parent goes to two of them; its one-off handler awaits a child on the third, that awaits another. */
class Lane implements AsyncDisposable {
  readonly #a = new EventBus({ maxHistorySize: 128, logger: silent });
  readonly #b = new EventBus({ maxHistorySize: 128, logger: silent });
  readonly #c = new EventBus({ maxHistorySize: 128, logger: silent });
  readonly #handled = { a: 0, b: 0, child: 0, grandchild: 0, late: 0 };

  constructor() {
    const handled = this.#handled;
    this.#b.on(Parent, () => void (handled.b += 1));
    this.#c.on(Grandchild, () => void (handled.grandchild += 1));
    this.#c.on(Child, async ({ event_timeout }) => {
      handled.child += 1;
      const grandchild = this.#c.dispatch(new Grandchild());
      if (event_timeout !== null) await new Promise(() => {});
      await grandchild;
    });
  }

  /** Every fifth child runs out of time. */
  async run(times: number): Promise<void> {
    for (let n = 0; n < times; n += 1) {
      const handler = async (): Promise<void> => {
        this.#handled.a += 1;
        const child = await this.#c.dispatch(new Child({}, { event_timeout: n % 5 === 0 ? 0.0001 : null }));
        for (const { status } of child.event_results.values()) if (status === 'error') this.#handled.late += 1;
      };
      this.#a.on(Parent, handler);
      const parent = new Parent();
      const dispatched = this.#a.dispatch(parent);
      this.#b.dispatch(parent);
      await dispatched;
      this.#a.off(Parent, handler);
    }
  }

  check(times: number): void {
    for (const part of ['a', 'b', 'child', 'grandchild'] as const) check(this.#handled[part], times);
    check(this.#handled.late, Math.ceil(times / 5));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const bus of [this.#a, this.#b, this.#c]) await bus.stop({ clear: true });
  }
}
