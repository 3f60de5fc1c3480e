import { BaseEvent, EventBus } from '@threadbus/core';
import { expect, test, vi } from 'vitest';
import { gate } from '../../helpers/gate.ts';

// Faked before the bus is loaded, for the whole file: once it is, its timers are Node's own whatever a test does.
vi.hoisted(() => void vi.useFakeTimers());

const Slow = BaseEvent.extend('Slow', {}, { timeout: 0.02 });

function statuses(event: BaseEvent): string[] {
  return [...event.event_results.values()].map(({ status }) => status);
}

test('timeout - is per handler, not per event', async () => {
  await using bus = new EventBus();
  const nap = () => (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 80));
  bus.on(Slow, nap());
  bus.on(Slow, nap());
  const dispatch = bus.dispatch(new Slow({}, { event_timeout: 0.1 }));
  await vi.advanceTimersByTimeAsync(170);
  expect(statuses(await dispatch)).toEqual(['completed', 'completed']);
});

test('timeout - null is none', async () => {
  await using bus = new EventBus();
  const door = gate();
  bus.on(Slow, () => door.opened);
  const dispatch = bus.dispatch(new Slow({}, { event_timeout: null }));
  await vi.advanceTimersByTimeAsync(100 * 24 * 3600 * 1000);
  expect(dispatch.event.event_status).toBe('started');
  door.open();
  expect(statuses(await dispatch)).toEqual(['completed']);
});

test('timeout - of 30 days fires after 30 days', async () => {
  await using bus = new EventBus();
  bus.on(Slow, () => gate().opened);
  const dispatch = bus.dispatch(new Slow({}, { event_timeout: 30 * 24 * 3600 }));
  await vi.advanceTimersByTimeAsync(30 * 24 * 3600 * 1000 - 5);
  expect(dispatch.event.event_status).toBe('started');
  await vi.advanceTimersByTimeAsync(10);
  expect(statuses(await dispatch)).toEqual(['error']);
});
