import { BaseEvent } from '@threadbus/core';
import { expect, test } from 'vitest';
import { gate, nextTurn } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Parent = BaseEvent.extend('Parent', {});
const Child = BaseEvent.extend('Child', {});
const Other = BaseEvent.extend('Other', {});

test('await - one EventResult, before the event is complete', async () => {
  const bus = quietBus();
  const other = quietBus();
  const slow = gate();
  const begun = gate();
  other.on(Child, function quick() {
    begun.open();
    return 'quick';
  });
  other.on(Child, () => slow.opened);
  bus.on(Parent, async () => {
    const { event } = other.dispatch(new Child({}));
    await begun.opened;
    const [result] = event.event_results.values();
    const value: unknown = await result;
    expect(event.event_status).toBe('started');
    slow.open();
    return value;
  });
  expect(await bus.dispatch(new Parent({})).eventResult()).toBe('quick');
});

test('await - a failed EventResult throws what its handler threw', async () => {
  const bus = quietBus();
  const error = new Error('broken');
  bus.on(Child, () => {
    throw error;
  });
  bus.on(Parent, async () => {
    const { event } = bus.dispatch(new Child({}));
    await event.eventCompleted();
    const [result] = event.event_results.values();
    await expect(Promise.resolve(result)).rejects.toBe(error);
    return 'seen';
  });
  expect(await bus.dispatch(new Parent({})).eventResult()).toBe('seen');
});

test('await - the same child twice at once: it runs once, both awaits end', async () => {
  const bus = quietBus();
  let runs = 0;
  bus.on(Child, async () => {
    runs += 1;
    await nextTurn();
    return runs;
  });
  bus.on(Parent, async () => {
    const child = bus.dispatch(new Child({}));
    const [event, value] = await Promise.all([child, child.eventResult()]);
    return [event.event_status, value];
  });
  expect(await bus.dispatch(new Parent({})).eventResult()).toEqual(['completed', 1]);
  expect(runs).toBe(1);
});

test('await - a completed event, at once and without letting anything else run', async () => {
  const bus = quietBus();
  const order: string[] = [];
  const child = await bus.dispatch(new Child({}));
  bus.on(Other, () => void order.push('Other'));
  bus.on(Parent, async () => {
    await child.eventCompleted();
    order.push('Parent');
  });
  bus.dispatch(new Parent({}));
  bus.dispatch(new Other({}));
  await bus.waitUntilIdle();
  expect(order).toEqual(['Parent', 'Other']);
});
