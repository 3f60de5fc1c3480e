import { BaseEvent, isHandlerTimeoutError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { startBus } from '../../helpers/worker-bus.ts';

const Plain = BaseEvent.extend('Plain', {});
const Stated = BaseEvent.extend('Stated', {}, { timeout: 30 });

function limitsOf(event: BaseEvent): (number | null)[] {
  return [...event.event_results.values()].map(({ timeout }) => timeout);
}

test('limits - a bus has one for events that state none', async () => {
  const bus = quietBus({ eventTimeout: 5 });
  bus.on('*', () => 1);
  expect(limitsOf(await bus.dispatch(new Plain({})))).toEqual([5]);
  expect(limitsOf(await bus.dispatch(new Stated({})))).toEqual([30]);
  expect(limitsOf(await bus.dispatch(new Plain({}, { event_timeout: 7 })))).toEqual([7]);
  expect(limitsOf(await bus.dispatch(new Plain({}, { event_timeout: null })))).toEqual([null]);
  const none = quietBus({ eventTimeout: null });
  none.on('*', () => 1);
  expect(limitsOf(await none.dispatch(new Plain({})))).toEqual([null]);
  const usual = quietBus();
  usual.on('*', () => 1);
  expect(limitsOf(await usual.dispatch(new Plain({})))).toEqual([60]);
  expect(new Plain({}).event_timeout).toBe(60);
});

test('limits - a handler has one of its own, and the smaller one ends it', async () => {
  const bus = quietBus({ eventTimeout: 10 });
  const hang = (): Promise<void> => new Promise(() => undefined);
  bus.on(Plain, hang, { timeout: 0.02 });
  bus.on(Plain, () => 'next', { timeout: 99 });
  bus.on(Plain, () => 'none', { timeout: null });
  const event = await bus.dispatch(new Plain({}));
  expect(limitsOf(event)).toEqual([0.02, 10, 10]);
  const [error] = await event.eventErrors();
  expect(isHandlerTimeoutError(error) && error.timeout).toBe(0.02);
  expect(() => bus.on(Plain, hang, { timeout: 0 })).toThrow(RangeError);
  expect(() => bus.on(Plain, hang, { timeout: '1' as never })).toThrow(TypeError);
});

test('limits - a handler that is registered on a bus in a thread has its own there', async () => {
  const bus = await startBus('havoc-bus');
  bus.on(Plain, () => new Promise<never>(() => undefined), { timeout: 0.05 });
  const [error] = await bus.dispatch(new Plain({})).eventErrors({ timeout: 10 });
  expect(isHandlerTimeoutError(error) && error.timeout).toBe(0.05);
});
