import { BaseEvent, EventBus } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { gate, stateOf, ticks } from '../../helpers/gate.ts';

const Work = BaseEvent.extend('Work', { n: z.number() });
const Child = BaseEvent.extend('Child', {});

test('parallel - the handlers of one event run side by side', async () => {
  await using bus = new EventBus({ parallelHandlers: true });
  const doors = [gate(), gate()] as const;
  bus.on(Work, async () => {
    doors[0].open();
    await doors[1].opened;
    return 'first';
  });
  bus.on(Work, async () => {
    doors[1].open();
    await doors[0].opened;
    return 'second';
  });
  const event = await bus.dispatch(new Work({ n: 1 }));
  expect(Object.keys(await event.eventResultsByHandlerId())).toHaveLength(2);
  expect(await event.eventResultsList()).toEqual(['first', 'second']);
});

test('parallel - without it a handler starts after the one before it has settled', async () => {
  await using bus = new EventBus();
  const door = gate();
  const order: string[] = [];
  bus.on(Work, async () => {
    await door.opened;
    order.push('first');
  });
  bus.on(Work, () => void order.push('second'));
  const dispatch = bus.dispatch(new Work({ n: 1 }));
  await ticks();
  expect(order).toEqual([]);
  door.open();
  await dispatch;
  expect(order).toEqual(['first', 'second']);
});

test('parallel - events stay in order, one at a time', async () => {
  await using bus = new EventBus({ parallelHandlers: true });
  const order: string[] = [];
  for (const name of ['a', 'b']) {
    bus.on(Work, async ({ n }) => {
      order.push(`${n}${name} start`);
      await ticks(name === 'a' ? 4 : 1);
      order.push(`${n}${name} end`);
    });
  }
  for (const n of [1, 2]) bus.dispatch(new Work({ n }));
  await bus.waitUntilIdle();
  expect(order).toEqual(['1a start', '1b start', '1b end', '1a end', '2a start', '2b start', '2b end', '2a end']);
});

test('parallel - one that fails or times out does not disturb the others; results stay in order', async () => {
  await using bus = new EventBus({ parallelHandlers: true });
  bus.on(Work, async () => {
    await ticks(10);
    return 'slowest';
  });
  bus.on(Work, () => Promise.reject(new Error('x')));
  bus.on(Work, () => gate().opened);
  bus.on(Work, () => 'quick');
  const event = await bus.dispatch(new Work({ n: 1 }, { event_timeout: 0.2 }));
  expect([...event.event_results.values()].map(({ status }) => status)).toEqual([
    'completed',
    'error',
    'error',
    'completed',
  ]);
  expect(await event.eventResultsList({ raiseIfAny: false })).toEqual(['slowest', 'quick']);
});

test('parallel - awaited events start at once, beside running handlers', async () => {
  await using bus = new EventBus({ parallelHandlers: true });
  const door = gate();
  bus.on(Work, () => door.opened);
  bus.on(Work, async () => {
    await Promise.all([bus.dispatch(new Child()), bus.dispatch(new Child())]);
    door.open();
  });
  let running = 0;
  let most = 0;
  bus.on(Child, async () => {
    running += 1;
    most = Math.max(most, running);
    await ticks(3);
    running -= 1;
  });
  await bus.dispatch(new Work({ n: 1 }));
  expect(most).toBe(2);
});

test('parallel - the next event waits for all handlers of this one', async () => {
  await using bus = new EventBus({ parallelHandlers: true });
  const door = gate();
  bus.on(Work, ({ n }) => (n === 1 ? door.opened : undefined));
  bus.on(Work, () => 'quick');
  bus.dispatch(new Work({ n: 1 }));
  const next = bus.dispatch(new Work({ n: 2 }));
  expect(await stateOf(next)).toBe('pending');
  expect(next.event.event_status).toBe('pending');
  door.open();
  await next;
});
