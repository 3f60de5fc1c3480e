import { BaseEvent, isTimeoutError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { gate, rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Slow = BaseEvent.extend('Slow', {});

test('eventCompleted - its timeout ends the wait alone, on the event and on the Dispatch', async () => {
  const bus = quietBus();
  const hold = gate();
  bus.on(Slow, () => hold.opened);
  const dispatch = bus.dispatch(new Slow({}));
  for (const subject of [dispatch, dispatch.event]) {
    expect(isTimeoutError(await rejection(subject.eventCompleted({ timeout: 0.01 })))).toBe(true);
    expect(isTimeoutError(await rejection(subject.eventErrors({ timeout: 0 })))).toBe(true);
  }
  hold.open();
  expect(await dispatch.eventCompleted({ timeout: 10 })).toBe(dispatch.event);
  expect(await dispatch.event.eventCompleted({ timeout: 0 })).toBe(dispatch.event);
});

test('eventCompleted - its signal ends the wait with the reason; the handler goes on', async () => {
  const bus = quietBus();
  const hold = gate();
  bus.on(Slow, () => hold.opened);
  const { event } = bus.dispatch(new Slow({}));
  const controller = new AbortController();
  const wait = rejection(event.eventCompleted({ signal: controller.signal }));
  const reason = new Error('enough');
  controller.abort(reason);
  expect(await wait).toBe(reason);
  hold.open();
  expect(await event.eventErrors()).toEqual([]);
});

test('eventCompleted - refuses options that it does not know, and waits that make no sense', async () => {
  const bus = quietBus();
  const { event } = bus.dispatch(new Slow({}));
  expect((await rejection(event.eventCompleted({ timeuot: 1 } as object))).message).toContain("no option 'timeuot'");
  expect(await rejection(event.eventCompleted({ timeout: -1 }))).toBeInstanceOf(RangeError);
  expect(await rejection(event.eventErrors({ signal: 1 as never }))).toBeInstanceOf(TypeError);
  expect((await rejection(new Slow({}).eventErrors())).message).toContain('never dispatched');
});

test('eventErrors - gives all errors in the order of the results, and rejects for none of them', async () => {
  const bus = quietBus({ parallelHandlers: true });
  const first = new Error('first');
  const second = new RangeError('second');
  const hold = gate();
  bus.on(Slow, async () => {
    await hold.opened;
    throw first;
  });
  bus.on(Slow, () => 'fine');
  bus.on(Slow, () => {
    hold.open();
    return second;
  });
  const dispatch = bus.dispatch(new Slow({}));
  expect(await dispatch.eventErrors()).toEqual([first, second]);
  expect(await dispatch.event.eventErrors({ timeout: 1 })).toEqual([first, second]);
});
