import { BaseEvent } from '@threadbus/core';
import { busEngine, toEpoch } from '@threadbus/core/internal';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Step } from '../../fixtures/worker/events.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { sharedCounter } from '../../helpers/shared-counter.ts';
import { startBus } from '../../helpers/worker-bus.ts';

const Outer = BaseEvent.extend('Outer', {});
const many = 250;

test('fairness - results of synchronous handlers come while the others still run', async () => {
  const begun = sharedCounter();
  const bus = await startBus('busy-bus', { workerData: { begun: begun.buffer } });
  const sent = Array.from({ length: many }, () => bus.dispatch(new Step({ what: 'busy', n: 4 })));
  await sent[0];
  expect(begun.value).toBeLessThan(many);
  await Promise.all(sent);
});

test('fairness - forwards and events without handlers take time too: nobody is told one that has long passed', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  await using bus = quietBus({ maxPending: null });
  const { loop } = busEngine(bus);
  let oldest = 0;
  loop.pause = (at) => {
    oldest = Math.max(oldest, Date.now() - toEpoch(at));
    return false;
  };
  // Each takes a millisecond.
  bus.observe({ started: () => void vi.setSystemTime(Date.now() + 1) });
  for (let n = 0; n < 500; n += 1) bus.dispatch(new Outer({}));
  await bus.waitUntilIdle();
  expect(oldest).toBeGreaterThan(0);
  expect(oldest).toBeLessThanOrEqual(64);
});

test('fairness - a thread with synchronous handlers to run answers questions before they are all done', async () => {
  const begun = sharedCounter();
  const bus = await startBus('busy-bus', { workerData: { begun: begun.buffer } });
  const sent = Array.from({ length: many }, () => bus.dispatch(new Step({ what: 'busy', n: 4 })));
  expect(await bus.logTree()).toContain('Step');
  expect(begun.value).toBeLessThan(many);
  await Promise.all(sent);
});

test('fairness - an event that a handler awaits goes ahead of synchronous handlers in the thread', async () => {
  const begun = sharedCounter();
  const parent = quietBus();
  const bus = await startBus('busy-bus', { parent, workerData: { begun: begun.buffer } });
  const sent = Array.from({ length: many }, () => bus.dispatch(new Step({ what: 'busy', n: 4 })));
  await sent[0];
  parent.on('Outer', async () => bus.dispatch(new Step({ what: 'busy', n: 0 })).eventResult());
  const [place] = await parent.dispatch(new Outer({})).eventResultsList();
  expect(place).toBeLessThan(many);
  await Promise.all(sent);
});
