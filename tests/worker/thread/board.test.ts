import { BaseEvent, isHandlerTimeoutError } from '@threadbus/core';
import { isWorkerCrashedError } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { Havoc } from '../../fixtures/worker/events.ts';
import { gate, rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { startBus } from '../../helpers/worker-bus.ts';

async function errorOf(sent: PromiseLike<Havoc>): Promise<unknown> {
  const event = await sent;
  return [...event.event_results.values()].find(({ status }) => status === 'error')?.error;
}

test('board - a handler that blocks on another bus of the thread is known to be the guilty one', async () => {
  const bus = await startBus('two-buses-bus');
  const guilty = bus.dispatch(new Havoc({ what: 'loop' }, { event_timeout: 0.2 }));
  expect(isHandlerTimeoutError(await errorOf(guilty))).toBe(true);
  expect(await bus.dispatch(new Havoc({ what: 'after' })).eventResult()).toBe('after');
});

test('board - an event that has started on another bus of the thread is not sent again', async () => {
  const parent = quietBus();
  const bus = await startBus('two-buses-bus', { parent });
  const asked = gate();
  const door = gate();
  let times = 0;
  parent.on(Havoc, async () => {
    times += 1;
    asked.open();
    await door.opened;
  });
  const started = bus.dispatch(new Havoc({ what: 'await parent' }));
  await asked.opened;
  // Awaited by a handler it goes ahead, while the other one waits.
  const guard = quietBus();
  guard.on('Order', async () => errorOf(bus.dispatch(new Havoc({ what: 'process.exit' }))) as Promise<never>);
  const order = guard.dispatch(new BaseEvent({}, { event_type: 'Order' })).eventResult();
  expect(isWorkerCrashedError(await rejection(order))).toBe(true);
  // What it had dispatched to other buses is waited for.
  door.open();
  expect(isWorkerCrashedError(await errorOf(started))).toBe(true);
  expect(await bus.dispatch(new Havoc({ what: 'after' })).eventResult()).toBe('after');
  expect(times).toBe(1);
});

test('board - a handler on another bus of the thread that awaits this side is not the one that blocks', async () => {
  const parent = quietBus();
  const bus = await startBus('two-buses-bus', { parent });
  parent.on(Havoc, async () => {
    // Takes longer than the awaiting handler over there has.
    await new Promise((resolve) => setTimeout(resolve, 700));
    return 'late';
  });
  const { threadId } = bus;
  const event = bus.dispatch(new Havoc({ what: 'await parent' }, { event_timeout: 0.2 }));
  expect(isHandlerTimeoutError(await errorOf(event))).toBe(true);
  expect(await bus.dispatch(new Havoc({ what: 'after' })).eventResult()).toBe('after');
  expect(bus.threadId).toBe(threadId);
});
