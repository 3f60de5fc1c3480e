import { BaseEvent, isAwaitCycleError } from '@threadbus/core';
import { isWorkerCrashedError } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { Double, Havoc, Step } from '../../fixtures/worker/events.ts';
import { rejection } from '../../helpers/gate.ts';
import { sharedCounter } from '../../helpers/shared-counter.ts';
import { startBus } from '../../helpers/worker-bus.ts';

test('control - waitUntilIdle comes after all that was dispatched before it, even beyond the wire', async () => {
  const bus = await startBus('havoc-bus', { maxInFlight: 2 });
  const events = Array.from({ length: 50 }, (_, n) => bus.dispatch(new Double({ n })));
  expect(await bus.waitUntilIdle({ timeout: 0 })).toBe(false);
  expect(await bus.waitUntilIdle()).toBe(true);
  expect(events.every(({ event }) => event.event_status === 'completed')).toBe(true);
  expect(await bus.waitUntilIdle({ timeout: 0 })).toBe(true);
});

test('control - waitForCapacity refuses what it doesn’t know, as it does on a bus of this thread', async () => {
  const bus = await startBus('havoc-bus');
  expect((await rejection(bus.waitForCapacity({ timeout: 1 } as object))).message).toContain("no option 'timeout'");
  expect((await rejection(bus.waitForCapacity({ signal: {} } as object))).message).toContain('an AbortSignal');
});

test('control - waitUntilIdle ends by its timeout or its signal, on a blocked thread too', async () => {
  const begun = sharedCounter();
  const bus = await startBus('havoc-bus', { workerData: { begun: begun.buffer } });
  const pending = bus.dispatch(new Step({ what: 'loop' }, { event_timeout: null }));
  await begun.reached(1);
  expect(await bus.waitUntilIdle({ timeout: 0.05 })).toBe(false);
  const reason = new Error('enough');
  expect(await rejection(bus.waitUntilIdle({ signal: AbortSignal.abort(reason) }))).toBe(reason);
  const end = new AbortController();
  const aborted = rejection(bus.waitUntilIdle({ signal: end.signal }));
  end.abort(reason);
  expect(await aborted).toBe(reason);
  await bus.stop();
  expect(pending.event.event_status).toBe('completed');
});

test('control - a call that the thread has not answered fails with its crash', async () => {
  const bus = await startBus('havoc-bus');
  const crash = bus.dispatch(new Havoc({ what: 'process.exit' }));
  const calls = [rejection(bus.waitUntilIdle()), rejection(bus.logTree())];
  for (const call of calls) expect(isWorkerCrashedError(await call)).toBe(true);
  await crash;
});

test('control - logTree shows what the bus over there remembers', async () => {
  const bus = await startBus('havoc-bus');
  await bus.dispatch(new Double({ n: 21 }));
  expect(await bus.logTree()).toMatch(/Double#.{4}[\s\S]*Havoc\.anonymous.*42/);
});

test('control - waitUntilIdle inside a handler that the bus waits for is a cycle', async () => {
  const bus = await startBus('havoc-bus');
  bus.on('Cycle', async () => {
    await bus.waitUntilIdle();
  });
  const error = await rejection(bus.dispatch(new BaseEvent({}, { event_type: 'Cycle' })).eventResult());
  expect(isAwaitCycleError(error)).toBe(true);
  expect(error.message).toContain('waits until Havoc is idle');
});

test('control - the thread id is that of the thread', async () => {
  const bus = await startBus('havoc-bus');
  expect(bus.threadId).toBeGreaterThan(0);
  await bus.stop();
  expect(bus.threadId).toBe(-1);
});
