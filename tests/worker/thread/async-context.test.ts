import { AsyncLocalStorage } from 'node:async_hooks';
import { BaseEvent } from '@threadbus/core';
import { HandlerPool } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { Double, Havoc, Step } from '../../fixtures/worker/events.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { startBus } from '../../helpers/worker-bus.ts';

const store = new AsyncLocalStorage<string>();

test('context - nothing of whoever starts a thread gets into handlers that the thread calls here', async () => {
  const parent = quietBus();
  const seen: (string | undefined)[] = [];
  parent.on('Asked', () => void seen.push(store.getStore()));
  const bus = await store.run('creator', () => startBus('parent-bus', { parent }));
  parent.observe({ completed: () => void seen.push(store.getStore()) });
  await store.run('dispatcher', () => bus.dispatch(new BaseEvent({}, { event_type: 'AskParent' })));
  expect(seen).toEqual([undefined, undefined]);
});

test('context - nothing of whoever dispatched first is kept by the watch or the restart', async () => {
  const parent = quietBus();
  const seen: (string | undefined)[] = [];
  const bus = await startBus('havoc-bus', { parent });
  bus.on(Double, () => void seen.push(store.getStore()));
  await store.run('first', () => bus.dispatch(new Havoc({ what: 'loop' }, { event_timeout: 0.2 })));
  await bus.dispatch(new Double({ n: 1 }));
  expect(seen).toEqual([undefined]);
});

test('context - code after an await is in the context of who awaits', async () => {
  const bus = await startBus('havoc-bus');
  await store.run('mine', async () => {
    await bus.dispatch(new Double({ n: 1 }));
    expect(store.getStore()).toBe('mine');
  });
});

test('context - a pool that is made inside a request leaks nothing of it', async () => {
  const pool = store.run('creator', () => new HandlerPool({ maxThreads: 1 }));
  onTestFinished(() => pool.stop());
  const bus = quietBus();
  const seen: (string | undefined)[] = [];
  bus.on('Step', pool.handler(fixtureUrl('worker/pool-tasks')));
  bus.on('Child', () => seen.push(store.getStore()));
  expect(await bus.dispatch(new Step({ what: 'child' })).eventResult()).toBe(1);
  expect(seen).toEqual([undefined]);
});
