import { BaseEvent, EventBus, isBusCapacityError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { ticks } from '../../helpers/gate.ts';

const Step = BaseEvent.extend('Step', { n: z.number() });

test('stress - 20,000 events at default limits, waiting for the oldest when it is full', async () => {
  await using bus = new EventBus();
  let handled = 0;
  bus.on(Step, ({ n }) => {
    expect(n).toBe(handled);
    handled += 1;
  });
  const open: PromiseLike<unknown>[] = [];
  for (let n = 0; n < 20_000; n += 1) {
    for (;;) {
      try {
        open.push(bus.dispatch(new Step({ n })));
        break;
      } catch (error) {
        if (!isBusCapacityError(error)) throw error;
        await Promise.all(open.splice(0, 10));
      }
    }
  }
  await bus.waitUntilIdle();
  expect(handled).toBe(20_000);
  expect(bus.eventHistory.size).toBe(50);
});

test('stress - 50,000 events with a history of one', async () => {
  await using bus = new EventBus({ maxHistorySize: 1 });
  let handled = 0;
  bus.on(Step, () => void (handled += 1));
  for (let n = 0; n < 50_000; n += 1) {
    await bus.waitForCapacity();
    bus.dispatch(new Step({ n }));
  }
  await bus.waitUntilIdle();
  expect([handled, bus.eventHistory.size]).toEqual([50_000, 1]);
});

test('stress - producers and consumers on ten buses that forward in a circle lose and double nothing', async () => {
  const buses = Array.from({ length: 10 }, () => new EventBus());
  const seen = new Map<string, number>();
  buses.forEach((bus, i) => {
    bus.on('*', (buses[(i + 1) % 10] as EventBus).dispatch);
    bus.on(Step, async ({ event_id, n }) => {
      if (n % 7 === 0) await ticks(1);
      seen.set(event_id, (seen.get(event_id) ?? 0) + 1);
    });
  });
  await Promise.all(
    buses.map(async (bus) => {
      for (let n = 0; n < 200; n += 1) {
        await bus.waitForCapacity();
        bus.dispatch(new Step({ n }));
      }
    }),
  );
  await Promise.all(buses.map((bus) => bus.waitUntilIdle()));
  expect(seen.size).toBe(2_000);
  expect([...seen.values()].every((runs) => runs === 10)).toBe(true);
  await Promise.all(buses.map((bus) => bus.stop()));
});
