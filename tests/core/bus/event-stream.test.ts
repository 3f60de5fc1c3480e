import { BaseEvent, isBusCapacityError, isBusStoppedError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { nextTurn, rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Tick = BaseEvent.extend('clock.tick', { n: z.number() });
const Other = BaseEvent.extend('Other', {});

function send(bus: ReturnType<typeof quietBus>, ...numbers: number[]): void {
  for (const n of numbers) bus.dispatch(new Tick({ n }));
}

test('events - gives what matches as it is dispatched, from the call on, in order', async () => {
  const bus = quietBus();
  send(bus, 0);
  const stream = bus.events(Tick);
  const wide = bus.events('clock.*');
  send(bus, 1);
  bus.dispatch(new Other({}));
  send(bus, 2);
  for (const each of [stream, wide]) {
    const seen: number[] = [];
    for await (const event of each) {
      seen.push((event as InstanceType<typeof Tick>).n);
      if (seen.length === 2) break;
    }
    expect(seen).toEqual([1, 2]);
    expect(await each.next()).toEqual({ done: true, value: undefined });
  }
});

test('events - ends with its signal at once and quietly, whatever is unread', async () => {
  const bus = quietBus();
  const controller = new AbortController();
  const stream = bus.events(Tick, { signal: controller.signal });
  const waiting = stream.next();
  send(bus, 1, 2, 3);
  expect((await waiting).value?.n).toBe(1);
  controller.abort();
  expect((await stream.next()).done).toBe(true);
  expect((await bus.events('*', { signal: controller.signal }).next()).done).toBe(true);
});

test('events - ends with the bus, after what is buffered; a reader who waits is let go', async () => {
  const bus = quietBus();
  const [stream, idle] = [bus.events(Tick), bus.events(Other)];
  const waiting = idle.next();
  send(bus, 1, 2);
  await bus.stop();
  expect((await waiting).done).toBe(true);
  const seen: number[] = [];
  for await (const { n } of stream) seen.push(n);
  expect(seen).toEqual([1, 2]);
  expect(() => bus.events(Tick)).toThrow('was stopped');
  expect(isBusStoppedError(await rejection(Promise.resolve().then(() => bus.events('*'))))).toBe(true);
});

test('events - over its buffer it gives what it has and then throws; the bus goes on', async () => {
  const bus = quietBus({ maxPending: null });
  const stream = bus.events(Tick, { buffer: 3 });
  send(bus, 1, 2, 3, 4, 5);
  await bus.waitUntilIdle();
  const seen: number[] = [];
  const error = await rejection(
    (async () => {
      for await (const { n } of stream) seen.push(n);
    })(),
  );
  expect(seen).toEqual([1, 2, 3]);
  expect(isBusCapacityError(error)).toBe(true);
  expect((await stream.next()).done).toBe(true);
  send(bus, 6);
  await nextTurn();
  expect(bus.stats().completed).toBe(6);
});

test('events - however many are unread, each costs the same to read', async () => {
  const bus = quietBus({ maxPending: null, maxHistorySize: 0 });
  const stream = bus.events(Other, { buffer: null });
  // Taken from the front of a list, each would move all the others: a minute.
  for (let n = 0; n < 300_000; n += 1) bus.dispatch(new Other({}));
  await bus.waitUntilIdle();
  let read = 0;
  while (read < 300_000 && (await stream.next()).done === false) read += 1;
  expect(read).toBe(300_000);
});

test('events - refuses what makes no sense', () => {
  const bus = quietBus();
  expect(() => bus.events('*', { bufer: 1 } as object)).toThrow("no option 'bufer'");
  expect(() => bus.events('*', { buffer: -1 })).toThrow(RangeError);
  expect(() => bus.events('9bad')).toThrow('event type');
});

test('filter - gives all that match in the history, the newest first', async () => {
  const bus = quietBus();
  bus.on(Tick, ({ n }) => void (n === 2 && bus.dispatch(new Other({}))));
  send(bus, 1, 2, 3);
  await bus.waitUntilIdle();
  const numbers = (events: readonly { readonly n: number }[]): number[] => events.map(({ n }) => n);
  expect(numbers(bus.filter(Tick))).toEqual([3, 2, 1]);
  expect(numbers(bus.filter(Tick, { limit: 2 }))).toEqual([3, 2]);
  expect(numbers(bus.filter(Tick, { where: ({ n }) => n < 3, limit: 1 }))).toEqual([2]);
  expect(bus.filter('*').map(({ event_type }) => event_type)).toEqual([
    'Other',
    'clock.tick',
    'clock.tick',
    'clock.tick',
  ]);
  const [second] = bus.filter(Tick, { where: ({ n }) => n === 2 });
  expect(bus.filter('*', { childOf: second as BaseEvent }).map(({ event_type }) => event_type)).toEqual(['Other']);
  expect(bus.filter('clock.*', { past: 60 })).toHaveLength(3);
  expect(bus.filter(Tick, { past: false })).toEqual([]);
  expect(() => bus.filter(Tick, { where: (async () => true) as never })).toThrow('at once');
  expect(() => bus.filter(Tick, { limt: 1 } as object)).toThrow("no option 'limt'");
});
