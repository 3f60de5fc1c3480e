import { BaseEvent, EventBus, isBusStoppedError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { gate, rejection, stateOf, ticks } from '../../helpers/gate.ts';

const Item = BaseEvent.extend('Item', { n: z.number() });
const Group = BaseEvent.extend('Group', { n: z.number() });

function aged(n: number, seconds: number): InstanceType<typeof Item> {
  return new Item({ n }, { event_created_at: new Date(Date.now() - seconds * 1000).toISOString() });
}

test('find - gives the newest match of the history, or null', async () => {
  await using bus = new EventBus();
  expect(await bus.find(Item)).toBeNull();
  for (const n of [1, 2, 3]) await bus.dispatch(new Item({ n }));
  await bus.dispatch(new Group({ n: 9 }));
  expect((await bus.find(Item))?.n).toBe(3);
  expect((await bus.find('Item', { where: (event) => event['n'] === 2 }))?.toJSON()['n']).toBe(2);
  expect((await bus.find('*'))?.event_type).toBe('Group');
});

test('find - events that are not completed count as well', async () => {
  await using bus = new EventBus();
  const door = gate();
  bus.on(Item, () => door.opened);
  const started = bus.dispatch(new Item({ n: 1 }));
  await ticks();
  expect(await bus.find(Item)).toBe(started.event);
  const pending = bus.dispatch(new Item({ n: 2 }));
  expect(await bus.find(Item)).toBe(pending.event);
  expect(await bus.find(Item, { where: ({ event_status }) => event_status === 'completed' })).toBeNull();
  door.open();
});

test('find - past in seconds looks at the time of creation', async () => {
  await using bus = new EventBus();
  await bus.dispatch(aged(1, 100));
  await bus.dispatch(aged(2, 20));
  expect((await bus.find(Item, { past: 30 }))?.n).toBe(2);
  expect(await bus.find(Item, { past: 10 })).toBeNull();
  expect((await bus.find(Item, { past: 1e10, where: ({ n }) => n === 1 }))?.n).toBe(1);
  expect((await bus.find(Item, { past: Infinity, where: ({ n }) => n === 1 }))?.n).toBe(1);
  expect(await bus.find(Item, { past: 0 })).toBeNull();
});

test('find - future waits for a dispatch, and gives null when the time is up', async () => {
  await using bus = new EventBus();
  await bus.dispatch(new Item({ n: 1 }));
  const wait = bus.find(Item, { past: false, future: 5 });
  const endless = bus.find(Item, { past: false, future: true, where: ({ n }) => n === 3 });
  expect(await stateOf(wait)).toBe('pending');
  const { event } = bus.dispatch(new Item({ n: 2 }));
  expect(await wait).toBe(event);
  expect(await stateOf(endless)).toBe('pending');
  bus.dispatch(new Item({ n: 3 }));
  expect((await endless)?.n).toBe(3);
  expect(await bus.find(Item, { past: false, future: 0.01 })).toBeNull();
  expect(await bus.find(Item, { past: false, future: 0 })).toBeNull();
});

test('find - neither past nor future is null at once; past goes before future', async () => {
  await using bus = new EventBus();
  const { event } = bus.dispatch(new Item({ n: 1 }));
  expect(await bus.find(Item, { past: false, future: false })).toBeNull();
  expect(await bus.find(Item, { past: true, future: 10 })).toBe(event);
});

test('find - childOf gives descendants at any depth, also over buses, and no others', async () => {
  await using bus = new EventBus();
  await using other = new EventBus();
  bus.on(Group, async ({ n }) => {
    await bus.dispatch(new Item({ n }));
    if (n < 30) bus.dispatch(new Group({ n: n + 10 }));
    else other.dispatch(new Item({ n: n + 1 }));
  });
  bus.on(Item, other.dispatch);
  const first = await bus.dispatch(new Group({ n: 10 }));
  const second = await bus.dispatch(new Group({ n: 25 }));
  const found = async (where: (event: BaseEvent & { n: number }) => boolean, childOf: BaseEvent): Promise<unknown> =>
    (await other.find(Item, { childOf, where }))?.n;
  expect(await found(({ n }) => n === 31, first)).toBe(31);
  expect(await found(({ n }) => n === 10, first)).toBe(10);
  expect(await found(({ n }) => n === 35, first)).toBeUndefined();
  expect(await found(({ n }) => n === 35, second)).toBe(35);
  expect(await bus.find(Group, { childOf: first, where: ({ n }) => n === 10 })).toBeNull();
});

test('find - childOf follows ids of parents that were given, and ends on a cycle of them', async () => {
  await using bus = new EventBus();
  const top = new Item({ n: 0 });
  const middle = new Item({ n: 1 }, { event_parent_id: top.event_id });
  const leaf = new Item({ n: 2 }, { event_parent_id: middle.event_id });
  const a = new Group({ n: 1 });
  const b = new Group({ n: 2 }, { event_parent_id: a.event_id });
  const loop = new Group({ n: 3 }, { event_id: a.event_id, event_parent_id: b.event_id });
  for (const event of [top, middle, leaf, b, loop]) await bus.dispatch(event);
  expect(await bus.find(Item, { childOf: top })).toBe(leaf);
  expect(await bus.find(Item, { childOf: leaf })).toBeNull();
  expect(await bus.find(Group, { childOf: top })).toBeNull();
});

test('find - childOf sees children of a parent that the history has forgotten', async () => {
  await using bus = new EventBus({ maxHistorySize: 1 });
  bus.on(Group, ({ n }) => void bus.dispatch(n < 3 ? new Group({ n: n + 1 }) : new Item({ n })));
  const top = await bus.dispatch(new Group({ n: 1 }));
  expect((await bus.find(Item, { childOf: top }))?.n).toBe(3);
});

test('find - debounces: reuse a fresh event, dispatch one if there is none or it is stale', async () => {
  await using bus = new EventBus();
  const get = async (past: number): Promise<InstanceType<typeof Item>> =>
    (await bus.find(Item, { past })) ?? bus.dispatch(new Item({ n: 1 }));
  const first = await get(10);
  expect(await get(10)).toBe(first);
  await bus.dispatch(aged(5, 60));
  await bus.stop({ clear: false });
  await using stale = new EventBus();
  await stale.dispatch(aged(5, 60));
  expect(await stale.find(Item, { past: 10 })).toBeNull();
});

test('find - stop() ends the wait; a stopped bus still shows its history and waits for nothing', async () => {
  const bus = new EventBus();
  const { event } = bus.dispatch(new Item({ n: 1 }));
  const wait = rejection(bus.find(Group, { future: true }));
  await bus.stop();
  expect(isBusStoppedError(await wait)).toBe(true);
  expect(await bus.find(Item)).toBe(event);
  expect(isBusStoppedError(await rejection(bus.find(Group, { future: true })))).toBe(true);
  expect(await bus.find(Group)).toBeNull();
});

test('find - a signal ends the wait, a filter that throws ends the call', async () => {
  await using bus = new EventBus();
  const controller = new AbortController();
  const wait = bus.find(Item, { future: true, signal: controller.signal });
  const reason = new Error('enough');
  controller.abort(reason);
  expect(await rejection(wait)).toBe(reason);
  await bus.dispatch(new Item({ n: 1 }));
  const boom = new Error('boom');
  const where = (): boolean => {
    throw boom;
  };
  expect(await rejection(bus.find(Item, { where }))).toBe(boom);
});

test.each([
  [{ past: -1 }, 'Expected past (seconds) to be 0 (look once) or a number of seconds above it; got -1.'],
  [{ past: Number.NaN }, 'got NaN'],
  [{ past: '10' }, 'Expected past (seconds) to be a number or null; got the string "10".'],
  [{ future: -1 }, 'Expected future (seconds) to be 0'],
  [{ future: Number.NaN }, 'got NaN'],
  [{ where: 1 }, 'Expected where to be a function; got 1 (number).'],
  [{ childOf: 'id' }, 'Expected childOf to be an event; got the string "id".'],
  [{ include: () => true }, "find has no option 'include'. It has: past, future, childOf, where, signal."],
])('find - the options %o are refused', async (options, text) => {
  await using bus = new EventBus();
  expect((await rejection(bus.find(Item, options as never))).message).toContain(text);
});
