import { BaseEvent, EventBus } from 'abxbus';
import { check, type Contestant } from './scenario.ts';

const Simple = BaseEvent.extend('Simple', {});
const Parent = BaseEvent.extend('Parent', {});
const Child = BaseEvent.extend('Child', {});
const Grandchild = BaseEvent.extend('Grandchild', {});

const options = (history: number): ConstructorParameters<typeof EventBus>[1] => ({
  max_history_size: history,
  max_history_drop: true,
  event_handler_detect_file_paths: false,
});

export const stream: Contestant = async (events, measure) => {
  const bus = new EventBus('Stream', options(512));
  let handled = 0;
  bus.on(Simple, () => void (handled += 1));
  await measure(async () => {
    for (let sent = 0; sent < events;) {
      for (const end = Math.min(sent + 500, events); sent < end; sent += 1) bus.emit(Simple({}));
      await bus.waitUntilIdle();
    }
  });
  check(handled, events);
  await bus.destroy();
};

export const manyBuses: Contestant = async (events, measure) => {
  let handled = 0;
  await measure(async () => {
    for (let sent = 0; sent < events;) {
      const bus = new EventBus(`Bus${sent}`, options(128));
      bus.on(Simple, () => void (handled += 1));
      for (const end = sent + 100; sent < end; sent += 1) bus.emit(Simple({}));
      await bus.waitUntilIdle();
      await bus.destroy();
    }
  });
  check(handled, events);
};

export const parallelHandlers: Contestant = async (handlers, measure) => {
  const bus = new EventBus('Parallel', { ...options(128), event_handler_concurrency: 'parallel' });
  let handled = 0;
  for (let n = 0; n < handlers; n += 1) bus.on(Simple, () => void (handled += 1), { id: `handler-${n}` });
  await measure(async () => bus.emit(Simple({})).wait());
  check(handled, handlers);
  await bus.destroy();
};

export const oneOffHandlers: Contestant = async (events, measure) => {
  const bus = new EventBus('OneOff', options(128));
  let handled = 0;
  await measure(async () => {
    for (let n = 0; n < events; n += 1) {
      const handler = (): void => void (handled += 1);
      bus.on(Simple, handler);
      await bus.emit(Simple({})).wait();
      bus.off(Simple, handler);
    }
  });
  check(handled, events);
  await bus.destroy();
};

export const worstCaseInTurn: Contestant = async (events, measure) => {
  const lane = new Lane(0);
  await measure(async () => lane.run(events / 3));
  lane.check(events / 3);
  await lane.destroy();
};

export const worstCaseAtOnce: Contestant = async (events, measure) => {
  const lanes = Array.from({ length: 50 }, (_, n) => new Lane(n));
  await measure(async () => Promise.all(lanes.map(async (lane) => lane.run(events / 150))));
  for (const lane of lanes) {
    lane.check(events / 150);
    await lane.destroy();
  }
};

/** As in threadbus-loads.ts, in abxbus's words: what a handler awaits, it awaits with `now()`. */
class Lane {
  readonly #a: EventBus;
  readonly #b: EventBus;
  readonly #c: EventBus;
  readonly #handled = { a: 0, b: 0, child: 0, grandchild: 0, late: 0 };

  constructor(n: number) {
    [this.#a, this.#b, this.#c] = [`A${n}`, `B${n}`, `C${n}`].map((name) => new EventBus(name, options(128))) as [
      EventBus,
      EventBus,
      EventBus,
    ];
    const handled = this.#handled;
    this.#b.on(Parent, () => void (handled.b += 1));
    this.#c.on(Grandchild, () => void (handled.grandchild += 1));
    this.#c.on(Child, async (event) => {
      handled.child += 1;
      const grandchild = event.emit(Grandchild({}));
      if (event.event_timeout !== null) await new Promise(() => {});
      await grandchild.now();
    });
  }

  async run(times: number): Promise<void> {
    for (let n = 0; n < times; n += 1) {
      const handler = async (event: InstanceType<typeof Parent>): Promise<void> => {
        this.#handled.a += 1;
        const child = event.emit(Child({ event_timeout: n % 5 === 0 ? 0.0001 : null }));
        this.#c.emit(child);
        await child.now().catch(() => {});
        for (const { status } of child.event_results.values()) if (status === 'error') this.#handled.late += 1;
      };
      this.#a.on(Parent, handler);
      const parent = Parent({});
      const emitted = this.#a.emit(parent);
      this.#b.emit(parent);
      await emitted.now();
      this.#a.off(Parent, handler);
    }
    await Promise.all([this.#a, this.#b, this.#c].map(async (bus) => bus.waitUntilIdle()));
  }

  check(times: number): void {
    for (const part of ['a', 'b', 'child'] as const) check(this.#handled[part], times);
    check(this.#handled.late, Math.ceil(times / 5));
  }

  async destroy(): Promise<void> {
    for (const bus of [this.#a, this.#b, this.#c]) await bus.destroy();
  }
}
