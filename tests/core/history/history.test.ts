import { BaseEvent, EventBus } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { gate, ticks } from '../../helpers/gate.ts';
import { thrown } from '../../helpers/thrown.ts';

const Step = BaseEvent.extend('Step', { n: z.number() });
const Held = BaseEvent.extend('Held', { n: z.number() });
const numbers = (events: Iterable<BaseEvent>): unknown[] => [...events].map((event) => event.toJSON()['n']);

/** A bus on which `Held` waits at a door. */
function heldBus(options: ConstructorParameters<typeof EventBus>[0]): { bus: EventBus; open: () => void } {
  const bus = new EventBus(options);
  const door = gate();
  bus.on(Held, () => door.opened);
  return { bus, open: () => door.open() };
}

test('history - maps ids to events in order of dispatch, those in flight included', async () => {
  const { bus, open } = heldBus({});
  const events = [new Step({ n: 1 }), new Held({ n: 2 }), new Step({ n: 3 })];
  for (const event of events) bus.dispatch(event);
  await ticks();
  const { eventHistory } = bus;
  expect([...eventHistory.values()]).toEqual(events);
  expect([...eventHistory.keys()]).toEqual(events.map(({ event_id }) => event_id));
  expect([...eventHistory]).toEqual(events.map((event) => [event.event_id, event]));
  expect(eventHistory.get(events[1]?.event_id ?? '')).toBe(events[1]);
  expect(eventHistory.has('nope')).toBe(false);
  const each: unknown[] = [];
  eventHistory.forEach((event, id, map) => each.push([event.event_id === id, map === eventHistory]));
  expect(each).toEqual(Array.from({ length: 3 }, () => [true, true]));
  open();
  await bus.stop();
});

test('history - holds 50 events by default', async () => {
  await using bus = new EventBus();
  for (let n = 0; n < 80; n += 1) await bus.dispatch(new Step({ n }));
  expect(numbers(bus.eventHistory.values())).toEqual(Array.from({ length: 50 }, (_, i) => i + 30));
});

test('history - the oldest completed go first, then started, then pending', async () => {
  const { bus, open } = heldBus({ maxHistorySize: 3 });
  for (const n of [1, 2]) await bus.dispatch(new Step({ n }));
  bus.dispatch(new Held({ n: 3 }));
  await ticks();
  bus.dispatch(new Step({ n: 4 }));
  expect(numbers(bus.eventHistory.values())).toEqual([2, 3, 4]);
  bus.dispatch(new Step({ n: 5 }));
  expect(numbers(bus.eventHistory.values())).toEqual([3, 4, 5]);
  bus.dispatch(new Step({ n: 6 }));
  expect(numbers(bus.eventHistory.values())).toEqual([4, 5, 6]);
  bus.dispatch(new Step({ n: 7 }));
  expect(numbers(bus.eventHistory.values())).toEqual([5, 6, 7]);
  open();
  await bus.stop();
});

test('history - events in flight stay while completed ones can go', async () => {
  const { bus, open } = heldBus({ maxHistorySize: 10 });
  for (let n = 0; n < 5; n += 1) await bus.dispatch(new Step({ n }));
  for (let n = 100; n < 110; n += 1) bus.dispatch(new Held({ n }));
  expect(numbers(bus.eventHistory.values())).toEqual(Array.from({ length: 10 }, (_, i) => i + 100));
  open();
  await bus.waitUntilIdle();
  expect(bus.eventHistory.size).toBe(10);
  await bus.stop();
});

test('history - evicted events still run, complete, resolve their waiters and complete their parents', async () => {
  await using bus = new EventBus({ maxHistorySize: 1 });
  const Parent = BaseEvent.extend('Parent', {});
  const ran: number[] = [];
  bus.on(Parent, () => {
    for (let n = 0; n < 5; n += 1) bus.dispatch(new Step({ n }));
  });
  bus.on(Step, ({ n }) => void ran.push(n));
  const dispatches = Array.from({ length: 5 }, (_, i) => bus.dispatch(new Step({ n: 10 + i })));
  const parent = await bus.dispatch(new Parent());
  await Promise.all(dispatches);
  expect(ran).toEqual([10, 11, 12, 13, 14, 0, 1, 2, 3, 4]);
  expect(parent.event_children).toHaveLength(5);
  expect(bus.eventHistory.size).toBe(1);
});

test('history - null is unlimited, and so is the number of pending events then', async () => {
  await using bus = new EventBus({ maxHistorySize: null });
  for (let n = 0; n < 200; n += 1) bus.dispatch(new Step({ n }));
  await bus.waitUntilIdle();
  expect(bus.eventHistory.size).toBe(200);
});

test('history - 0 holds what is in flight, and the number of pending events stays limited', async () => {
  const { bus, open } = heldBus({ maxHistorySize: 0 });
  const dispatch = bus.dispatch(new Held({ n: 1 }));
  bus.dispatch(new Step({ n: 2 }));
  await ticks();
  expect(numbers(bus.eventHistory.values())).toEqual([1, 2]);
  expect(() => {
    for (let n = 0; n < 200; n += 1) bus.dispatch(new Step({ n }));
  }).toThrow('at capacity');
  open();
  await dispatch;
  await bus.waitUntilIdle();
  expect(bus.eventHistory.size).toBe(0);
  await bus.stop();
});

test('history - pending, started and completed part the events in flight and the history', async () => {
  const { bus, open } = heldBus({ maxHistorySize: 1 });
  await bus.dispatch(new Step({ n: 1 }));
  for (const n of [2, 3, 4]) bus.dispatch(new Held({ n }));
  await ticks();
  expect(numbers(bus.eventsStarted)).toEqual([2]);
  expect(numbers(bus.eventsPending)).toEqual([3, 4]);
  expect(numbers(bus.eventsCompleted)).toEqual([]);
  open();
  await bus.waitUntilIdle();
  expect([bus.eventsPending, bus.eventsStarted]).toEqual([[], []]);
  expect(numbers(bus.eventsCompleted)).toEqual([4]);
  await bus.stop();
});

test('history - two objects with one id take one place, and nothing is left of the first', async () => {
  await using bus = new EventBus({ maxHistorySize: 3 });
  const document = { ...new Step({ n: 1 }).toJSON() };
  const twins = Array.from({ length: 20 }, (_, n) => Step.fromJSON({ ...document, n }));
  await Promise.all(twins.map((twin) => bus.dispatch(twin)));
  expect(numbers(bus.eventHistory.values())).toEqual([19]);
  for (let n = 30; n < 34; n += 1) await bus.dispatch(new Step({ n }));
  expect(numbers(bus.eventHistory.values())).toEqual([31, 32, 33]);
});

test.each([
  ['maxHistorySize', -1, 'a whole number from 0 up, or null for no limit; got -1'],
  ['maxHistorySize', 1.5, 'got 1.5'],
  ['maxHistorySize', Number.NaN, 'got NaN'],
  ['maxHistorySize', '5', 'a number or null; got the string "5"'],
  ['maxPending', 0, 'above 0, or null for none; got 0'],
  ['maxPending', -5, 'got -5'],
  ['maxPending', Number.NaN, 'got NaN'],
  ['maxRecursionDepth', 0, 'above 0, or null for none; got 0'],
  ['maxRecursionDepth', Number.NaN, 'got NaN'],
])('history - %s %j is refused', (name, value, text) => {
  expect(thrown(() => new EventBus({ [name]: value })).message).toContain(`Expected ${name} to be `);
  expect(thrown(() => new EventBus({ [name]: value })).message).toContain(text);
});

test('history - is in order of dispatch, whatever the order of completion', async () => {
  const bus = new EventBus({ maxHistorySize: 6 });
  const doors = new Map([1, 2, 3, 4].map((n) => [n, gate()]));
  bus.on(Held, async ({ n }) => {
    if (n > 1) await bus.dispatch(new Held({ n: n - 1 }));
    await doors.get(n)?.opened;
  });
  // Each awaits the next: they complete in the reverse order of their dispatch.
  const first = bus.dispatch(new Held({ n: 4 }));
  for (const door of doors.values()) door.open();
  await first;
  const steps = [new Step({ n: 10 }), new Step({ n: 11 })];
  for (const step of steps) await bus.dispatch(step);
  expect(numbers(bus.eventHistory.values())).toEqual([4, 3, 2, 1, 10, 11]);
  expect((await bus.find(Held))?.n).toBe(1);
  expect((await bus.find(Held, { where: ({ n }) => n > 2 }))?.n).toBe(3);
  // The one that completed longest ago goes first: the last that was dispatched of them.
  await bus.dispatch(new Step({ n: 12 }));
  expect(numbers(bus.eventHistory.values())).toEqual([4, 3, 2, 10, 11, 12]);
  await bus.stop();
});

test('history - of two events with one id in flight, the later one is found, whichever completes first', async () => {
  const { bus, open } = heldBus({});
  const first = new Held({ n: 1 });
  bus.dispatch(first);
  const later = Step.fromJSON({ ...new Step({ n: 2 }).toJSON(), event_id: first.event_id });
  bus.dispatch(later);
  expect(bus.eventHistory.get(first.event_id)).toBe(later);
  open();
  await bus.waitUntilIdle();
  expect(first.event_status).toBe('completed');
  expect(bus.eventHistory.get(first.event_id)).toBe(later);
  expect([...bus.eventHistory.values()]).toEqual([later]);
  await bus.stop();
});
