import { HandlerAbortedError, HandlerCancelledError } from '@threadbus/core';
import { HandlerPool } from '@threadbus/worker';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Step } from '../../fixtures/worker/events.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { sharedCounter } from '../../helpers/shared-counter.ts';
import { BaseEvent, type EventBus } from '@threadbus/core';

function poolBus(): { bus: EventBus; pool: HandlerPool } {
  const pool = new HandlerPool({ maxThreads: 1 });
  const bus = quietBus({ maxPending: null });
  onTestFinished(() => pool.stop());
  bus.on('Step', pool.handler(fixtureUrl('worker/pool-tasks')));
  return { bus, pool };
}

function errorOf(event: BaseEvent): Error {
  const [result] = [...event.event_results.values()];
  return result?.error as Error;
}

test('pool - a signal cancels a call that waits for a thread, and one that blocks its thread', async () => {
  const { bus } = poolBus();
  const counter = sharedCounter();
  const controller = new AbortController();
  const { signal } = controller;
  // Blocks: it waits for another one that never comes.
  const blocks = new BaseEvent({ what: 'hold', n: 2, shared: counter.buffer }, { event_type: 'Step' });
  const blocked = bus.dispatch(blocks, { signal });
  const waiting = bus.dispatch(new Step({ what: 'thread' }), { signal });
  await counter.reached(1);
  const reason = new Error('the client is gone');
  controller.abort(reason);
  const errors = [errorOf(await blocked), errorOf(await waiting)];
  expect(errors[0]).toBeInstanceOf(HandlerAbortedError);
  expect(errors[1]).toBeInstanceOf(HandlerCancelledError);
  expect(errors.map(({ cause }) => cause)).toEqual([reason, reason]);
  expect(await bus.dispatch(new Step({ what: 'thread' })).eventResult()).toBeGreaterThan(0);
});

test('pool - children of a cancelled call name the signal’s reason, the very object', async () => {
  const { bus } = poolBus();
  const controller = new AbortController();
  const begun = bus.expect('Child');
  bus.on('Child', async () => new Promise(() => undefined));
  const dispatch = bus.dispatch(new Step({ what: 'child', n: 1 }), { signal: controller.signal });
  const child = await begun;
  const reason = new Error('not any more');
  controller.abort(reason);
  expect(errorOf(await dispatch).cause).toBe(reason);
  await child.eventCompleted();
  expect(errorOf(child).cause).toBe(reason);
});

test('pool - a bus counts the events that wait for a thread, and no others', async () => {
  const { bus } = poolBus();
  const counter = sharedCounter();
  const hold = new BaseEvent({ what: 'hold', n: 2, shared: counter.buffer }, { event_type: 'Step' });
  const held = bus.dispatch(hold);
  await counter.reached(1);
  const controller = new AbortController();
  const waiting = [0, 1].map(() => bus.dispatch(new Step({ what: 'thread' }), { signal: controller.signal }));
  const last = bus.dispatch(new Step({ what: 'thread' }));
  // That the first is taken stands in shared memory, at which the pool looks a few milliseconds later.
  await vi.waitFor(() => expect(bus.stats()).toMatchObject({ queued: 0, waitingForThreads: 3 }), { interval: 1 });
  controller.abort();
  await Promise.all(waiting);
  expect(bus.stats().waitingForThreads).toBe(1);
  Atomics.store(new Int32Array(counter.buffer), 0, 2);
  Atomics.notify(new Int32Array(counter.buffer), 0);
  await Promise.all([held, last]);
  expect(bus.stats()).toEqual({
    queued: 0,
    inProgress: 0,
    waitingForThreads: 0,
    completed: 2,
    failed: 2,
    timedOut: 0,
  });
});
