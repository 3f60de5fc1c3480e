import { BaseEvent, HandlerTimeoutError, isHandlerTimeoutError } from '@threadbus/core';
import { isWorkerCrashedError } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { Double, Havoc, Step } from '../../fixtures/worker/events.ts';
import { gate, rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { hostId } from '../../helpers/isolation.ts';
import { sharedCounter } from '../../helpers/shared-counter.ts';
import { startBus } from '../../helpers/worker-bus.ts';

test('watchdog - a handler that blocks within its time is not killed while another event there is overdue', async () => {
  const parent = quietBus();
  const asked = gate();
  const door = gate();
  parent.on('Asked', async () => {
    asked.open();
    await door.opened;
  });
  const bus = await startBus('parent-bus', { parent });
  const before = hostId(bus);
  const overdue = bus.dispatch(new BaseEvent({}, { event_type: 'AskParent', event_timeout: 0.3 })).eventResult();
  await asked.opened;
  // Awaited, so it starts while the other handler is suspended.
  const other = quietBus();
  other.on('Outer', async () => (await bus.dispatch(new BaseEvent({}, { event_type: 'Block' }))).event_status as never);
  const blocked = other.dispatch(new BaseEvent({}, { event_type: 'Outer' })).eventResult();
  expect(isHandlerTimeoutError(await rejection(overdue))).toBe(true);
  expect(await blocked).toBe('completed');
  expect(hostId(bus)).toBe(before);
  door.open();
});

test('watchdog - a handler that overruns without blocking is ended by its signal, its thread goes on', async () => {
  const bus = await startBus('havoc-bus');
  const before = hostId(bus);
  const error = await rejection(
    bus.dispatch(new Step({ what: 'until aborted' }, { event_timeout: 0.1 })).eventResult(),
  );
  expect(error).toBeInstanceOf(HandlerTimeoutError);
  expect(error.message).toContain('Havoc.anonymous(Step#');
  expect(await bus.dispatch(new Double({ n: 1 })).eventResult()).toBe(2);
  expect(hostId(bus)).toBe(before);
});

test('watchdog - a handler that blocks after an await of its own is ended too', async () => {
  const bus = await startBus('havoc-bus');
  const error = await rejection(bus.dispatch(new Step({ what: 'later block' }, { event_timeout: 0.3 })).eventResult());
  expect(isHandlerTimeoutError(error)).toBe(true);
  expect(await bus.dispatch(new Double({ n: 1 })).eventResult()).toBe(2);
});

test('watchdog - a child that blocks in the thread ends its parent there', async () => {
  const bus = await startBus('havoc-bus');
  const error = await rejection(bus.dispatch(new Step({ what: 'await child', n: 0.2 })).eventResult());
  expect(isWorkerCrashedError(error)).toBe(true);
  expect(error.message).toMatch(/was blocked by a handler past its time \(0\.2 s\)/);
  expect(await bus.dispatch(new Double({ n: 1 })).eventResult()).toBe(2);
});

test('watchdog - a handler of an event that was born in the thread is killed, with nothing under way from here', async () => {
  const bus = await startBus('havoc-bus');
  const before = hostId(bus);
  await bus.dispatch(new BaseEvent({}, { event_type: 'BornBlock' }));
  expect(bus.inFlight).toBe(0);
  await expect.poll(() => hostId(bus), { timeout: 10_000 }).not.toBe(before);
  expect(await bus.dispatch(new Double({ n: 1 })).eventResult()).toBe(2);
});

test('watchdog - a handler without a time limit that blocks ends after unresponsiveTimeout', async () => {
  const begun = sharedCounter();
  const bus = await startBus('havoc-bus', { unresponsiveTimeout: 0.6, workerData: { begun: begun.buffer } });
  const error = await rejection(bus.dispatch(new Step({ what: 'loop' }, { event_timeout: null })).eventResult());
  expect(isWorkerCrashedError(error)).toBe(true);
  expect(error.message).toContain('did not answer for 0.6 s');
  expect(await bus.dispatch(new Double({ n: 1 })).eventResult()).toBe(2);
});

test('watchdog - a thread with nothing to do is not taken to be unresponsive', async () => {
  const bus = await startBus('havoc-bus', { unresponsiveTimeout: 0.3 });
  const before = hostId(bus);
  const pending = bus.dispatch(new Step({ what: 'until aborted' }, { event_timeout: 1.2 }));
  await pending;
  expect(hostId(bus)).toBe(before);
});

test('watchdog - on a parallel bus the handler that blocks at once is the guilty one', async () => {
  const begun = sharedCounter();
  const bus = await startBus('havoc-bus', { workerData: { begun: begun.buffer, parallelHandlers: true } });
  const innocent = bus.dispatch(new Step({ what: 'order' })).eventResult();
  const error = await rejection(bus.dispatch(new Havoc({ what: 'loop' }, { event_timeout: 0.2 })).eventResult());
  expect(isHandlerTimeoutError(error)).toBe(true);
  expect(await innocent).toBe(2);
  expect(await bus.dispatch(new Double({ n: 2 })).eventResult()).toBe(4);
});

test('watchdog - of several handlers in progress none is killed before all have overrun', async () => {
  const begun = sharedCounter();
  const bus = await startBus('parallel-bus', { workerData: { begun: begun.buffer } });
  const before = hostId(bus);
  // Two handlers of one event: one waits, the other blocks later; both are past their time by then.
  const event = await bus.dispatch(new BaseEvent({}, { event_type: 'Both', event_timeout: 0.4 }));
  const errors = [...event.event_results.values()].map(({ error }) => error);
  expect(errors.length).toBeGreaterThan(0);
  for (const error of errors) expect(isHandlerTimeoutError(error)).toBe(true);
  expect(hostId(bus)).not.toBe(before);
});
