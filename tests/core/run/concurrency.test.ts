import { BaseEvent } from '@threadbus/core';
import { expect, test } from 'vitest';
import { gate, ticks, type Gate } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Job = BaseEvent.extend('Job', {});

/** A bus whose handlers wait for gates, and which of them are running. */
function jobs(concurrency: number | null): { bus: ReturnType<typeof quietBus>; running: Set<string>; doors: Gate[] } {
  const bus = quietBus({ concurrency, maxPending: null });
  const running = new Set<string>();
  const doors: Gate[] = [];
  bus.on(Job, async ({ event_id }) => {
    const door = gate();
    doors.push(door);
    running.add(event_id);
    await door.opened;
    running.delete(event_id);
  });
  return { bus, running, doors };
}

test('concurrency - so many events are in progress at once, started in order of dispatch', async () => {
  const { bus, running, doors } = jobs(3);
  const ids = Array.from({ length: 5 }, () => bus.dispatch(new Job({})).event.event_id);
  await ticks();
  expect([...running]).toEqual(ids.slice(0, 3));
  expect(bus.stats()).toMatchObject({ queued: 2, inProgress: 3 });
  doors[1]?.open();
  await ticks();
  expect([...running]).toEqual([ids[0], ids[2], ids[3]]);
  for (const door of doors) door.open();
  await ticks();
  for (const door of doors) door.open();
  expect(await bus.waitUntilIdle({ timeout: 5 })).toBe(true);
});

test('concurrency - null is without limit, and awaited events start at once whatever the limit', async () => {
  const { bus, running, doors } = jobs(null);
  for (let n = 0; n < 20; n += 1) bus.dispatch(new Job({}));
  await ticks();
  expect(running.size).toBe(20);
  for (const door of doors) door.open();
  const two = jobs(2);
  const Parent = BaseEvent.extend('Parent', {});
  two.bus.on(Parent, async () => {
    await two.bus.dispatch(new Job({}));
  });
  const first = two.bus.dispatch(new Job({}));
  const parent = two.bus.dispatch(new Parent({}));
  const behind = two.bus.dispatch(new Job({}));
  await ticks();
  expect(two.running.size).toBe(2);
  expect(behind.event.event_status).toBe('pending');
  for (const door of two.doors) door.open();
  await Promise.all([first, parent]);
  await ticks();
  expect(two.running.size).toBe(1);
  for (const door of two.doors) door.open();
  await behind;
});

test('concurrency - open children alone don’t hold a place; the handlers of one event stay in order', async () => {
  const bus = quietBus({ concurrency: 2 });
  const door = gate();
  const order: string[] = [];
  const Child = BaseEvent.extend('Child', {});
  bus.on(Child, () => door.opened);
  bus.on('Parent', () => void bus.dispatch(new Child({})));
  bus.on(Job, async () => {
    order.push('first begins');
    await ticks();
    order.push('first ends');
  });
  bus.on(Job, () => void order.push('second'));
  const parent = bus.dispatch(new BaseEvent({}, { event_type: 'Parent' }));
  const job = bus.dispatch(new Job({}));
  const last = bus.dispatch(new Job({}));
  await job;
  await last;
  expect(parent.event.event_status).toBe('started');
  expect(order.filter((entry) => entry === 'second')).toHaveLength(2);
  expect(order.indexOf('second')).toBeGreaterThan(order.indexOf('first ends'));
  door.open();
  await parent;
});

test('concurrency - refuses what is no number of events', () => {
  for (const wrong of [0, -1, 1.5, NaN]) expect(() => quietBus({ concurrency: wrong })).toThrow(RangeError);
  expect(() => quietBus({ concurrency: '2' as never })).toThrow(TypeError);
});
