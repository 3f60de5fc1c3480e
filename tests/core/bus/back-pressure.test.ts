import { BaseEvent, BusCapacityError, BusStoppedError, type EventBus } from '@threadbus/core';
import { describe, expect, test } from 'vitest';
import { type Gate, gate, ticks } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Parent = BaseEvent.extend('Parent', {});
const Work = BaseEvent.extend('Work', {});
const Query = BaseEvent.extend('Query', {});

/** A bus whose Work waits at one gate after the other. */
function slowBus(maxPending: number): { bus: EventBus; gates: Gate[] } {
  const gates: Gate[] = [];
  const bus = quietBus({ maxPending });
  bus.on(Work, () => {
    const next = gate();
    gates.push(next);
    return next.opened;
  });
  return { bus, gates };
}

describe('waitForCapacity() - outside handlers', () => {
  test('one free place is for one of those who ask at the same time', async () => {
    const { bus, gates } = slowBus(2);
    bus.dispatch(new Work({}));
    const served: number[] = [];
    const producers = [1, 2, 3].map(async (number) => {
      await bus.waitForCapacity();
      served.push(number);
      bus.dispatch(new Work({}));
    });
    await ticks(1);
    expect(served).toEqual([1]);
    for (const last of [2, 3]) {
      gates.shift()?.open();
      await ticks(1);
      expect(served.at(-1)).toBe(last);
    }
    await Promise.all(producers);
    expect(served).toEqual([1, 2, 3]);
    while (bus.eventsStarted.length > 0) {
      expect(gates).toHaveLength(1);
      gates.shift()?.open();
      await ticks(1);
    }
  });

  test('many producers in a loop are never refused', async () => {
    const bus = quietBus({ maxPending: 3 });
    let handled = 0;
    bus.on(Work, async () => {
      await Promise.resolve();
      handled += 1;
    });
    const producer = async (): Promise<void> => {
      for (let round = 0; round < 50; round += 1) {
        await bus.waitForCapacity();
        bus.dispatch(new Work({}));
      }
    };
    await Promise.all([producer(), producer(), producer(), producer(), producer()]);
    await bus.waitUntilIdle();
    expect(handled).toBe(250);
  });

  test('an unused place goes on to the next', async () => {
    const { bus, gates } = slowBus(1);
    const served: string[] = [];
    bus.dispatch(new Work({}));
    const waits = ['first', 'second', 'third'].map(async (name) => {
      await bus.waitForCapacity();
      served.push(name);
      if (name === 'third') bus.dispatch(new Work({}));
    });
    await ticks(1);
    gates[0]?.open();
    await Promise.all(waits);
    expect(served).toEqual(['first', 'second', 'third']);
    await ticks(1);
    gates[1]?.open();
  });

  test('a wait that its signal ended passes the place on', async () => {
    const { bus, gates } = slowBus(1);
    bus.dispatch(new Work({}));
    const controller = new AbortController();
    const reason = new Error('no more');
    const ended = bus.waitForCapacity({ signal: controller.signal });
    const other = bus.waitForCapacity();
    controller.abort(reason);
    await expect(ended).rejects.toBe(reason);
    await ticks(1);
    gates[0]?.open();
    await other;
  });

  test('a kept place stays kept when an event is forwarded here in between', async () => {
    const { bus, gates } = slowBus(1);
    const front = quietBus();
    front.on(Work, bus.dispatch);
    bus.dispatch(new Work({}));
    const wait = bus.waitForCapacity();
    await ticks(1);
    gates[0]?.open();
    await wait;
    const forwarded = front.dispatch(new Work({}));
    while (forwarded.event.event_path.length < 2) await Promise.resolve();
    const mine = bus.dispatch(new Work({}));
    expect(() => bus.dispatch(new Work({}))).toThrow(BusCapacityError);
    for (const number of [1, 2]) {
      await ticks(1);
      gates[number]?.open();
    }
    await mine;
  });

  test('stop() ends all waits', async () => {
    const { bus } = slowBus(1);
    bus.dispatch(new Work({}));
    const wait = bus.waitForCapacity();
    await Promise.all([expect(wait).rejects.toBeInstanceOf(BusStoppedError), bus.stop()]);
  });
});

describe('waitForCapacity() - inside a handler', () => {
  test("awaits the oldest event of the handler's own tree", async () => {
    const bus = quietBus({ maxPending: 3 });
    const done: number[] = [];
    const Item = BaseEvent.extend('Item', {});
    let items = 0;
    bus.on(Item, async () => {
      const number = (items += 1);
      await Promise.resolve();
      done.push(number);
    });
    const seen: number[][] = [];
    bus.on(Parent, async () => {
      for (let round = 0; round < 5; round += 1) {
        await bus.waitForCapacity();
        seen.push([...done]);
        bus.dispatch(new Item({}));
      }
    });
    await bus.dispatch(new Parent({}));
    expect(seen).toEqual([[], [], [1], [1, 2], [1, 2, 3]]);
    expect(done).toEqual([1, 2, 3, 4, 5]);
  });

  test('finds what a child left on the bus', async () => {
    const bus = quietBus({ maxPending: 2 });
    const other = quietBus();
    bus.on(Work, () => ticks(1));
    other.on(Query, () => void bus.dispatch(new Work({})));
    bus.on(Parent, async () => {
      other.dispatch(new Query({}));
      await ticks(1);
      await bus.waitForCapacity();
      await bus.dispatch(new Work({}));
    });
    const parent = await bus.dispatch(new Parent({}));
    expect([...parent.event_results.values()].map(({ error }) => error)).toEqual([null]);
  });

  test('fails on its own bus when nothing of its own holds a place', async () => {
    const { bus } = slowBus(2);
    bus.on(Parent, () => bus.waitForCapacity());
    const parent = bus.dispatch(new Parent({}));
    bus.dispatch(new Work({}));
    const error = await parent.eventResult().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BusCapacityError);
    expect((error as Error).message).toMatch(/can't complete before this handler returns/);
  });

  test("fails on another bus when that is full with the handler's own ancestors", async () => {
    const full = quietBus({ maxPending: 1 });
    const bus = quietBus();
    full.on(Parent, () => bus.dispatch(new Query({})).eventResult());
    bus.on(Query, () => full.waitForCapacity());
    await expect(full.dispatch(new Parent({})).eventResult()).rejects.toBeInstanceOf(BusCapacityError);
  });

  test('on another bus lets that bus await events here', async () => {
    const bus = quietBus();
    const workers = quietBus({ maxPending: 1 });
    bus.on(Query, () => 'answer');
    const answers: unknown[] = [];
    workers.on(Work, async () => {
      answers.push(await bus.dispatch(new Query({})).eventResult());
    });
    bus.on(Parent, async () => {
      for (let round = 0; round < 3; round += 1) {
        await workers.waitForCapacity();
        workers.dispatch(new Work({}), { detached: true });
      }
    });
    await bus.dispatch(new Parent({}));
    await workers.waitUntilIdle();
    expect(answers).toEqual(['answer', 'answer', 'answer']);
  });

  test('on another bus runs what that bus forwarded here', async () => {
    const bus = quietBus();
    const full = quietBus({ maxPending: 1 });
    const order: string[] = [];
    full.on(Work, bus.dispatch);
    bus.on(Work, () => void order.push('forwarded'));
    bus.on(Parent, async () => {
      full.dispatch(new Work({}), { detached: true });
      await ticks(1);
      await full.waitForCapacity();
      order.push('free');
    });
    await bus.dispatch(new Parent({}));
    expect(order).toEqual(['forwarded', 'free']);
  });

  test('goes before those who wait outside', async () => {
    const bus = quietBus({ maxPending: 2 });
    bus.on(Work, () => ticks(1));
    let outside = 0;
    bus.on(Parent, async () => {
      for (let round = 0; round < 4; round += 1) {
        await bus.waitForCapacity();
        bus.dispatch(new Work({}));
      }
    });
    const parent = bus.dispatch(new Parent({}));
    await ticks(1);
    const waits = [1, 2].map(async () => {
      await bus.waitForCapacity();
      outside += 1;
      bus.dispatch(new Work({}));
    });
    expect(await parent.eventResult({ raiseIfNone: false })).toBeNull();
    await Promise.all(waits);
    expect(outside).toBe(2);
  });

  test('rejects when its signal aborts', async () => {
    const bus = quietBus({ maxPending: 2 });
    const other = quietBus();
    const never = gate();
    other.on(Query, () => never.opened);
    const reason = new Error('enough');
    bus.on(Work, () => other.dispatch(new Query({})).eventResult({ raiseIfNone: false }));
    bus.on(Parent, async () => {
      bus.dispatch(new Work({}));
      const controller = new AbortController();
      const wait = bus.waitForCapacity({ signal: controller.signal });
      controller.abort(reason);
      await wait;
    });
    const parent = bus.dispatch(new Parent({}));
    setImmediate(() => never.open());
    await expect(parent.eventResult()).rejects.toBe(reason);
  });
});

test('dispatch() - refuses more than maxPending and leaves no trace', async () => {
  const { bus, gates } = slowBus(2);
  const children: string[] = [];
  bus.on(Parent, async (event) => {
    bus.dispatch(new Work({}));
    const refused = new Work({});
    expect(() => bus.dispatch(refused)).toThrow(/EventBus at capacity: 2 pending events \(2 max/);
    expect([refused.event_path, refused.event_parent_id, refused.event_status]).toEqual([[], null, 'pending']);
    children.push(...event.event_children.map(({ event_type }) => event_type));
  });
  const parent = bus.dispatch(new Parent({}));
  await ticks(1);
  gates[0]?.open();
  const { event_results } = await parent;
  expect([...event_results.values()].map(({ error }) => error)).toEqual([null]);
  expect(children).toEqual(['Work']);
});
