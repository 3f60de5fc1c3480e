import { BaseEvent } from '@threadbus/core';
import { expect, test } from 'vitest';
import { gate } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Parent = BaseEvent.extend('Parent', {});
const Child = BaseEvent.extend('Child', {});
const Other = BaseEvent.extend('Other', {});

test('redispatch - an event that was awaited and completed keeps its place in the queue of the next bus', async () => {
  const first = quietBus();
  const second = quietBus();
  const order: string[] = [];
  const busy = gate();
  second.on(Other, () => busy.opened);
  second.on('*', (event) => void order.push(event.event_type));
  first.on(Child, () => null);
  first.on(Parent, async () => {
    const child = await first.dispatch(new Child({}));
    second.dispatch(child);
  });
  second.dispatch(new Other({}));
  second.dispatch(new Parent({}));
  await first.dispatch(new Parent({}));
  busy.open();
  await second.waitUntilIdle();
  expect(order).toEqual(['Other', 'Parent', 'Child']);
});

test('redispatch - a completed child that goes to another bus is not what its awaited parent waits for', async () => {
  const first = quietBus();
  const second = quietBus();
  const order: string[] = [];
  const busy = gate();
  const Outer = BaseEvent.extend('Outer', {});
  second.on('*', async (event) => {
    await busy.opened;
    order.push(event.event_type);
  });
  first.on(Child, () => null);
  first.on(Parent, async () => {
    const child = await first.dispatch(new Child({}));
    second.dispatch(child);
  });
  first.on(Outer, async () => {
    await first.dispatch(new Parent({}));
    order.push('Outer');
  });
  second.dispatch(new Other({}));
  second.dispatch(new Other({}));
  await first.dispatch(new Outer({}));
  busy.open();
  await second.waitUntilIdle();
  expect(order).toEqual(['Outer', 'Other', 'Other', 'Child']);
});

test('redispatch - a second dispatch to the same bus follows the first', async () => {
  const bus = quietBus();
  let runs = 0;
  bus.on(Child, () => {
    runs += 1;
  });
  const event = new Child({});
  const both = await Promise.all([bus.dispatch(event), bus.dispatch(event)]);
  expect(both).toEqual([event, event]);
  expect(await bus.dispatch(event)).toBe(event);
  expect(runs).toBe(1);
  expect(event.event_path).toEqual([bus.name]);
});

test('redispatch - a completed event that goes to another bus is open again for that bus alone', async () => {
  const first = quietBus();
  const second = quietBus();
  const work = gate();
  first.on(Child, () => 1);
  second.on(Child, async () => {
    await work.opened;
    return 2;
  });
  const event = await first.dispatch(new Child({}));
  const again = second.dispatch(event);
  expect(event.event_status).toBe('started');
  expect(event.event_completed_at).toBeNull();
  work.open();
  expect(await again.eventResultsList()).toEqual([1, 2]);
  expect(event.event_status).toBe('completed');
  expect(event.event_path).toEqual([first.name, second.name]);
});

test('redispatch - of a child by its own parent adds no second child', async () => {
  const first = quietBus();
  const second = quietBus();
  first.on(Parent, () => {
    const child = new Child({});
    first.dispatch(child);
    second.dispatch(child);
  });
  const parent = await first.dispatch(new Parent({}));
  expect(parent.event_children).toHaveLength(1);
  expect(parent.event_children[0]?.event_path).toEqual([first.name, second.name]);
});

test('redispatch - of an event by its own handler to its own bus changes nothing', async () => {
  const bus = quietBus();
  let runs = 0;
  bus.on(Child, (event) => {
    runs += 1;
    bus.dispatch(event);
  });
  const event = await bus.dispatch(new Child({}));
  expect(runs).toBe(1);
  expect(event.event_children).toEqual([]);
});
