import { BaseEvent, isBusStoppedError, isHandlerAbortedError, isHandlerCancelledError } from '@threadbus/core';
import { isWorkerCrashedError } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { Double, Havoc, Step } from '../../fixtures/worker/events.ts';
import { rejection, stateOf } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { sharedCounter } from '../../helpers/shared-counter.ts';
import { startBus } from '../../helpers/worker-bus.ts';

test('stop - at once aborts what runs, cancels what is queued and refuses what comes', async () => {
  const begun = sharedCounter();
  const bus = await startBus('havoc-bus', { workerData: { begun: begun.buffer } });
  const running = bus.dispatch(new Step({ what: 'until aborted' }));
  const queued = bus.dispatch(new Double({ n: 1 }));
  const expected = rejection(bus.expect(Double));
  await begun.reached(1);
  const stopped = bus.stop();
  expect(isBusStoppedError(bus.failure)).toBe(true);
  expect(() => bus.dispatch(new Double({ n: 1 }))).toThrow(/Havoc was stopped\. Start another/);
  expect(isHandlerAbortedError(await rejection(running.eventResult()))).toBe(true);
  expect(isHandlerCancelledError(await rejection(queued.eventResult()))).toBe(true);
  await stopped;
  expect(isBusStoppedError(await expected)).toBe(true);
  expect(bus.threadId).toBe(-1);
  for (const late of [bus.waitUntilIdle(), bus.logTree(), bus.waitForCapacity(), bus.expect(Double)]) {
    expect(isBusStoppedError(await rejection(late))).toBe(true);
  }
  expect(() => bus.on(Double, () => 1)).toThrow(/was stopped/);
});

test.each([5, Infinity])('stop - with a timeout of %s lets what is under way finish', async (timeout) => {
  const bus = await startBus('havoc-bus');
  const results = [1, 2, 3].map((n) => bus.dispatch(new Double({ n })).eventResult());
  await bus.stop({ timeout });
  expect(await Promise.all(results)).toEqual([2, 4, 6]);
});

test('stop - when its timeout is over what still runs is aborted', async () => {
  const bus = await startBus('havoc-bus');
  const running = bus.dispatch(new Step({ what: 'until aborted' }));
  await bus.stop({ timeout: 0.2 });
  expect(isHandlerAbortedError(await rejection(running.eventResult()))).toBe(true);
});

test('stop - a blocked thread is ended, its events settle', async () => {
  const begun = sharedCounter();
  const bus = await startBus('havoc-bus', { workerData: { begun: begun.buffer } });
  const blocking = bus.dispatch(new Step({ what: 'loop' }));
  const behind = bus.dispatch(new Double({ n: 1 }));
  await begun.reached(1);
  await bus.stop();
  for (const event of [blocking, behind]) expect(isBusStoppedError(await rejection(event.eventResult()))).toBe(true);
});

test('stop - without limit waits through a handler that blocks past its time and through its replacement', async () => {
  const bus = await startBus('havoc-bus');
  const blocking = bus.dispatch(new Havoc({ what: 'loop' }, { event_timeout: 0.2 }));
  const behind = bus.dispatch(new Double({ n: 1 }));
  await bus.stop({ timeout: Infinity });
  expect((await rejection(blocking.eventResult())).name).toBe('HandlerTimeoutError');
  expect(await behind.eventResult()).toBe(2);
});

test('stop - while the thread is being replaced settles what waits', async () => {
  const bus = await startBus('havoc-bus');
  await bus.dispatch(new Havoc({ what: 'process.exit' }));
  const waiting = bus.dispatch(new Double({ n: 1 }));
  await bus.stop();
  expect(isBusStoppedError(await rejection(waiting.eventResult()))).toBe(true);
});

test('stop - a thread that ends in the middle of it is not replaced', async () => {
  const begun = sharedCounter();
  const bus = await startBus('stubborn-bus', { workerData: { begun: begun.buffer } });
  const running = bus.dispatch(new BaseEvent({}, { event_type: 'ExitWhenAborted' }));
  await begun.reached(1);
  await bus.stop();
  const error = await rejection(running.eventResult());
  expect(isWorkerCrashedError(error) || isBusStoppedError(error) || isHandlerAbortedError(error)).toBe(true);
  expect(bus.threadId).toBe(-1);
});

test('stop - twice, side by side and with other options, ends once', async () => {
  const bus = await startBus('havoc-bus');
  const running = bus.dispatch(new Step({ what: 'until aborted' }));
  const slow = bus.stop({ timeout: Infinity });
  expect(await stateOf(slow)).toBe('pending');
  await Promise.all([bus.stop(), bus.stop({ clear: true }), slow]);
  await bus.stop();
  expect(isHandlerAbortedError(await rejection(running.eventResult()))).toBe(true);
});

test('stop - inside a handler of this side ends that handler too', async () => {
  const bus = await startBus('havoc-bus');
  bus.on('Stop', async () => {
    await bus.stop();
  });
  const event = bus.dispatch(new BaseEvent({}, { event_type: 'Stop' }));
  await event;
  expect(isBusStoppedError(bus.failure)).toBe(true);
});

test('stop - leaving a scope of `await using` stops', async () => {
  const bus = await startBus('havoc-bus');
  {
    await using scoped = bus;
    expect(await scoped.dispatch(new Double({ n: 1 })).eventResult()).toBe(2);
  }
  expect(isBusStoppedError(bus.failure)).toBe(true);
});

test('stop - of the parent does not end the thread, whose dispatches there fail', async () => {
  const parent = quietBus();
  const bus = await startBus('parent-bus', { parent });
  await parent.stop();
  const error = await rejection(bus.dispatch(new BaseEvent({}, { event_type: 'AskParent' })).eventResult());
  expect(isBusStoppedError(error)).toBe(true);
  expect(await bus.dispatch(new BaseEvent({}, { event_type: 'ParentName' })).eventResult()).toBe(parent.name);
});

test('stop - unknown options are refused', async () => {
  const bus = await startBus('havoc-bus');
  expect((await rejection(bus.stop({ timeOut: 1 } as object))).message).toContain("no option 'timeOut'");
  expect((await rejection(bus.stop({ timeout: -1 }))).message).toContain('timeout');
});
