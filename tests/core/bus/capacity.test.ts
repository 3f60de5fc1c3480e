import { BaseEvent, EventBus, isAwaitCycleError, isBusCapacityError, isBusStoppedError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { gate, rejection, stateOf, ticks } from '../../helpers/gate.ts';
import { thrown } from '../../helpers/thrown.ts';

const Held = BaseEvent.extend('Held', { n: z.number() });
const Parent = BaseEvent.extend('Parent', {});

/** Dispatches until the bus refuses; how many it took. */
function fill(bus: EventBus): number {
  for (let n = 0; ; n += 1) {
    try {
      bus.dispatch(new Held({ n }));
    } catch (error) {
      if (isBusCapacityError(error)) return n;
      throw error;
    }
  }
}

function heldBus(options: ConstructorParameters<typeof EventBus>[0] = {}): { bus: EventBus; open: () => void } {
  const bus = new EventBus(options);
  const door = gate();
  bus.on(Held, () => door.opened);
  return { bus, open: () => door.open() };
}

test('capacity - 100 events may be under way; the next is refused and the message counts them', async () => {
  const { bus, open } = heldBus({ name: 'Full' });
  bus.dispatch(new Held({ n: -1 }));
  await ticks();
  expect(fill(bus)).toBe(99);
  const error = thrown(() => bus.dispatch(new Held({ n: 100 })));
  expect(isBusCapacityError(error) && [error.pending, error.limit, error.busName, error.eventType]).toEqual([
    100,
    100,
    'Full',
    'Held',
  ]);
  expect(error.message).toBe(
    "EventBus at capacity: 100 pending events (100 max) on Full, 99 of them queued and 1 in progress, so Held is refused. Wait with 'await bus.waitForCapacity()' before you dispatch, or raise maxPending.",
  );
  open();
  await bus.waitUntilIdle();
  expect(fill(bus)).toBe(100);
  await bus.stop();
});

test('capacity - is independent of the history; completed events never count', async () => {
  for (const maxHistorySize of [0, 1, 10, 1_000]) {
    const { bus, open } = heldBus({ maxHistorySize });
    expect(fill(bus)).toBe(100);
    open();
    await bus.waitUntilIdle();
    for (let n = 0; n < 300; n += 1) await bus.dispatch(new Held({ n }));
    await bus.stop();
  }
});

test('capacity - maxPending is the limit, null is none', async () => {
  const three = heldBus({ maxPending: 3 });
  expect(fill(three.bus)).toBe(3);
  const free = heldBus({ maxPending: null });
  for (let n = 0; n < 1_000; n += 1) free.bus.dispatch(new Held({ n }));
  three.open();
  free.open();
  await Promise.all([three.bus.stop(), free.bus.stop()]);
});

test('capacity - a refused event is untouched and can be dispatched later', async () => {
  const { bus, open } = heldBus({ maxPending: 1 });
  bus.dispatch(new Held({ n: 0 }));
  const event = new Held({ n: 1 });
  expect(isBusCapacityError(thrown(() => bus.dispatch(event)))).toBe(true);
  expect([event.event_path, event.event_status, bus.eventHistory.size]).toEqual([[], 'pending', 1]);
  open();
  await bus.waitUntilIdle();
  expect((await bus.dispatch(event)).event_status).toBe('completed');
  await bus.stop();
});

test('capacity - refused inside a handler: only that call throws, and the parent completes', async () => {
  await using bus = new EventBus({ maxPending: 3 });
  bus.on(Parent, () => fill(bus));
  const parent = bus.dispatch(new Parent());
  expect(await parent.eventResult()).toBe(2);
  expect(parent.event.event_children).toHaveLength(2);
});

test('capacity - events that are forwarded here are not refused', async () => {
  await using main = new EventBus({ maxPending: null });
  const { bus, open } = heldBus({ maxPending: 5 });
  main.on('*', bus.dispatch);
  const all = Array.from({ length: 20 }, (_, n) => main.dispatch(new Held({ n })));
  await ticks();
  expect(isBusCapacityError(thrown(() => bus.dispatch(new Held({ n: 0 }))))).toBe(true);
  open();
  for (const event of await Promise.all(all)) expect(event.event_path).toHaveLength(2);
  await bus.stop();
});

test('capacity - an event that only waits for children does not count', async () => {
  const { bus, open } = heldBus({ maxPending: 1 });
  await using main = new EventBus({ maxPending: 1 });
  main.on(Parent, () => void bus.dispatch(new Held({ n: 0 })));
  const parent = main.dispatch(new Parent());
  await ticks();
  expect(parent.event.event_status).toBe('started');
  await main.dispatch(new BaseEvent());
  open();
  await parent;
  await bus.stop();
});

test('capacity - waitForCapacity: first come, first served, one waiter a free place', async () => {
  const { bus, open } = heldBus({ maxPending: 2 });
  await bus.waitForCapacity();
  fill(bus);
  const order: number[] = [];
  const waits = [1, 2, 3, 4].map(async (n) => {
    await bus.waitForCapacity();
    order.push(n);
    bus.dispatch(new Held({ n }));
  });
  expect(await stateOf(waits[0] as Promise<void>)).toBe('pending');
  open();
  await Promise.all(waits);
  expect(order).toEqual([1, 2, 3, 4]);
  await bus.stop();
});

test('capacity - a place that its waiter does not use goes on to the next', async () => {
  const { bus, open } = heldBus({ maxPending: 1 });
  fill(bus);
  const waits = [bus.waitForCapacity(), bus.waitForCapacity(), bus.waitForCapacity()];
  expect(await Promise.all(waits.map(stateOf))).toEqual(['pending', 'pending', 'pending']);
  open();
  await Promise.all(waits);
  await bus.stop();
});

test('capacity - waitForCapacity slows a producer down to what the bus can do', async () => {
  await using bus = new EventBus({ maxPending: 10 });
  let done = 0;
  bus.on(Held, async () => {
    await ticks(1);
    done += 1;
  });
  for (let n = 0; n < 200; n += 1) {
    await bus.waitForCapacity();
    bus.dispatch(new Held({ n }));
    expect(n - done).toBeLessThan(11);
  }
  await bus.waitUntilIdle();
  expect(done).toBe(200);
});

test('capacity - waitForCapacity ends with its signal or with the bus', async () => {
  const { bus } = heldBus({ maxPending: 1 });
  fill(bus);
  const controller = new AbortController();
  const wait = bus.waitForCapacity({ signal: controller.signal });
  const stopped = rejection(bus.waitForCapacity());
  const reason = new Error('enough');
  controller.abort(reason);
  expect(await rejection(wait)).toBe(reason);
  await bus.stop();
  expect(isBusStoppedError(await stopped)).toBe(true);
  expect(isBusStoppedError(await rejection(bus.waitForCapacity()))).toBe(true);
  expect((await rejection(bus.waitForCapacity({ signal: 5 as never }))).message).toContain('an AbortSignal');
});

test('capacity - inside a handler waitForCapacity awaits what its own tree has under way, oldest first', async () => {
  await using bus = new EventBus({ maxPending: 4 });
  const order: number[] = [];
  bus.on(Held, ({ n }) => void order.push(n));
  bus.on(Parent, async () => {
    for (let n = 0; n < 10; n += 1) {
      await bus.waitForCapacity();
      bus.dispatch(new Held({ n }));
    }
    return 'sent all';
  });
  expect(await bus.dispatch(new Parent()).eventResult()).toBe('sent all');
  expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test('capacity - inside a handler with nothing of its own under way it fails rather than wait for ever', async () => {
  await using bus = new EventBus({ name: 'Self', maxPending: 2 });
  bus.on(Parent, () => bus.waitForCapacity());
  bus.on(Held, () => undefined);
  const parent = bus.dispatch(new Parent());
  bus.dispatch(new Held({ n: 1 }));
  const error = await rejection(parent.eventResult());
  expect(isBusCapacityError(error)).toBe(true);
  expect(isAwaitCycleError(error)).toBe(false);
  expect(error.message).toContain("Self is full with events that can't complete before this handler returns");
});
