import { BaseEvent, EventBus } from '@threadbus/core';
import { expect, test, vi } from 'vitest';
import { gate } from '../../helpers/gate.ts';
import { logRecorder } from '../../helpers/log-recorder.ts';

// Faked before the bus is loaded, for the whole file: once it is, its timers are Node's own whatever a test does.
vi.hoisted(() => void vi.useFakeTimers());

const Slow = BaseEvent.extend('Slow', {}, { timeout: null });

test('slow-watch - warns once of a handler that runs longer than 15 s, with its name and event', async () => {
  const logger = logRecorder();
  await using bus = new EventBus({ name: 'Slowly', logger });
  const door = gate();
  bus.on(Slow, function crawl() {
    return door.opened;
  });
  const dispatch = bus.dispatch(new Slow());
  await vi.advanceTimersByTimeAsync(14_900);
  expect(logger.warnings).toEqual([]);
  await vi.advanceTimersByTimeAsync(200);
  expect(logger.warnings).toEqual([
    `Slowly.crawl(Slow#${dispatch.event.event_id.slice(-4)}) has been running for 15 s: slow, or a deadlock?`,
  ]);
  await vi.advanceTimersByTimeAsync(600_000);
  expect(logger.warnings).toHaveLength(1);
  door.open();
  await dispatch;
});

test('slow-watch - warns of each of several handlers in its own time', async () => {
  const logger = logRecorder();
  await using bus = new EventBus({ logger, parallelHandlers: true });
  const second = gate();
  bus.on(Slow, function first() {
    return new Promise((resolve) => setTimeout(resolve, 40_000));
  });
  bus.on(Slow, async function later() {
    await second.opened;
    await new Promise((resolve) => setTimeout(resolve, 40_000));
  });
  bus.dispatch(new Slow());
  await vi.advanceTimersByTimeAsync(10_000);
  second.open();
  await vi.advanceTimersByTimeAsync(5_100);
  expect(logger.warnings).toHaveLength(2);
  await vi.advanceTimersByTimeAsync(60_000);
  expect(logger.warnings).toHaveLength(2);
});

test('slow-watch - says nothing of quick handlers, however many, and leaves no timer behind', async () => {
  const logger = logRecorder();
  await using bus = new EventBus({ logger });
  bus.on(Slow, () => new Promise((resolve) => setTimeout(resolve, 1_000)));
  for (let i = 0; i < 60; i += 1) bus.dispatch(new Slow());
  await vi.advanceTimersByTimeAsync(60_000);
  expect(logger.warnings).toEqual([]);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(vi.getTimerCount()).toBe(0);
});

test('slow-watch - stop() takes its timer away', async () => {
  const bus = new EventBus();
  bus.on(Slow, () => gate().opened);
  bus.dispatch(new Slow());
  await vi.advanceTimersByTimeAsync(6_000);
  expect(vi.getTimerCount()).toBe(1);
  await bus.stop();
  expect(vi.getTimerCount()).toBe(0);
});
