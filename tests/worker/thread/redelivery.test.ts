import { BaseEvent, type EventBus, HandlerCancelledError, isHandlerAbortedError } from '@threadbus/core';
import { isWorkerCrashedError } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { Double, Havoc, Retryable, Step } from '../../fixtures/worker/events.ts';
import { gate, rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { sharedCounter } from '../../helpers/shared-counter.ts';
import { startBus } from '../../helpers/worker-bus.ts';

test('redelivery - what had not started goes to the replacement, awaited events first, else in order', async () => {
  const begun = sharedCounter();
  const parent = quietBus();
  const bus = await startBus('havoc-bus', { parent, workerData: { begun: begun.buffer } });
  const crash = bus.dispatch(new Havoc({ what: 'process.exit' }));
  const ordinary = [1, 2, 3].map(() => bus.dispatch(new Step({ what: 'order' })).eventResult());
  const awaited = new Step({ what: 'order' });
  parent.on('Outer', async () => bus.dispatch(awaited).eventResult());
  const first = parent.dispatch(new BaseEvent({}, { event_type: 'Outer' })).eventResult();
  expect(isWorkerCrashedError(await rejection(crash.eventResult()))).toBe(true);
  const order = await Promise.all(ordinary);
  expect(order).toEqual([...(order as number[])].sort((a, b) => a - b));
  expect(await first).toBeLessThan(order[0] as number);
  expect(begun.value).toBe(8);
});

test('redelivery - an event that had started is not started again, unless its class is idempotent', async () => {
  const begun = sharedCounter();
  const bus = await startBus('havoc-bus', { workerData: { begun: begun.buffer } });
  expect(await bus.dispatch(new Retryable({ what: 'once' })).eventResult()).toBe('attempt 2');
  const error = await rejection(bus.dispatch(new Step({ what: 'process.exit' })).eventResult());
  expect(isWorkerCrashedError(error)).toBe(true);
  expect(await bus.dispatch(new Double({ n: 1 })).eventResult()).toBe(2);
  expect(begun.value).toBe(3);
});

test('redelivery - an idempotent event that ends its thread each time is given up after the third', async () => {
  const begun = sharedCounter();
  const bus = await startBus('havoc-bus', { workerData: { begun: begun.buffer } });
  const error = await rejection(bus.dispatch(new Retryable({ what: 'always' })).eventResult());
  expect(isWorkerCrashedError(error)).toBe(true);
  expect(begun.value).toBe(3);
  expect(await bus.dispatch(new Double({ n: 1 })).eventResult()).toBe(2);
});

test('redelivery - an event that was cancelled before it had started is not sent again', async () => {
  const begun = sharedCounter();
  const parent = quietBus();
  const bus = await startBus('havoc-bus', { parent, workerData: { begun: begun.buffer } });
  // The thread is blocked, so that it can't take the cancelled event out of its queue.
  const blocking = bus.dispatch(new Havoc({ what: 'Atomics.wait' }, { event_timeout: 0.6 }));
  const child = new Step({ what: 'order' });
  parent.on('Outer', async () => bus.dispatch(child));
  const outer = await parent.dispatch(new BaseEvent({}, { event_type: 'Outer', event_timeout: 0.1 }));
  await blocking;
  expect(outer.event_status).toBe('completed');
  const [result] = [...child.event_results.values()];
  expect(result?.error).toBeInstanceOf(HandlerCancelledError);
  expect(begun.value).toBe(0);
});

test('redelivery - an event whose buffers were transferred fails with a message that says so', async () => {
  const bus = await startBus('havoc-bus');
  const crash = bus.dispatch(new Havoc({ what: 'process.exit' }));
  const bytes = new Uint8Array(8);
  const moved = bus.dispatch(new BaseEvent({ bytes }, { event_type: 'Bytes' }), { transfer: [bytes.buffer] });
  await crash;
  const [result] = [...(await moved).event_results.values()];
  expect(isWorkerCrashedError(result?.error)).toBe(true);
  expect(result?.error).toMatchObject({
    message: expect.stringContaining('its buffers were transferred, and went with the thread') as string,
  });
});

test('redelivery - what the lost thread had dispatched to other buses goes on, and is waited for', async () => {
  const { parent, bus, open, handled } = await parentWithGate();
  const outer = bus.dispatch(new BaseEvent({}, { event_type: 'AskParentThenExit' }));
  await handled;
  const error = rejection(outer.event.eventResult({ raiseIfNone: false }));
  expect(parent.eventsStarted).toHaveLength(1);
  expect(outer.event.event_status).not.toBe('completed');
  open();
  expect(isWorkerCrashedError(await error)).toBe(true);
  const completed = await outer;
  expect(completed.event_children.map(({ event_type, event_status }) => [event_type, event_status])).toEqual([
    ['Asked', 'completed'],
  ]);
});

test('redelivery - a started event that was cancelled ends as aborted', async () => {
  const begun = sharedCounter();
  const parent = quietBus();
  const bus = await startBus('havoc-bus', { parent, workerData: { begun: begun.buffer } });
  const child = new Step({ what: 'loop' }, { event_timeout: null });
  parent.on('Outer', async () => bus.dispatch(child));
  await parent.dispatch(new BaseEvent({}, { event_type: 'Outer', event_timeout: 0.3 }));
  const [result] = [...child.event_results.values()];
  expect(isHandlerAbortedError(result?.error)).toBe(true);
  expect(result?.error).toMatchObject({ message: expect.stringContaining('because of a parent timeout') as string });
  expect(await bus.dispatch(new Double({ n: 1 })).eventResult()).toBe(2);
});

async function parentWithGate(): Promise<{
  parent: EventBus;
  bus: Awaited<ReturnType<typeof startBus>>;
  open: () => void;
  handled: Promise<void>;
}> {
  const parent = quietBus();
  const begun = gate();
  const door = gate();
  parent.on('Asked', async () => {
    begun.open();
    await door.opened;
  });
  const bus = await startBus('parent-bus', { parent });
  return { parent, bus, open: door.open, handled: begun.opened };
}
