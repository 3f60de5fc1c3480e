import { BaseEvent, type EventBus, isBusCapacityError } from '@threadbus/core';
import { HandlerPool, type HandlerPoolOptions } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { rejection, ticks } from '../../helpers/gate.ts';
import { moduleOf } from '../../helpers/module.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { sharedCounter } from '../../helpers/shared-counter.ts';

/** Blocks until it is let go, or does what the event says. */
const task = moduleOf(`
  import { threadId } from 'node:worker_threads';
  export default async ({ what, shared, ms }, { bus }) => {
    if (what === 'hold') {
      const cells = new Int32Array(shared);
      Atomics.add(cells, 0, 1);
      Atomics.notify(cells, 0);
      Atomics.wait(cells, 1, 0);
    }
    if (what === 'throw') throw new RangeError('no');
    if (what === 'exit') process.exit(1);
    if (what === 'block') for (;;);
    if (what === 'sleep') await new Promise((resolve) => setTimeout(resolve, ms));
    return threadId;
  }`);

function poolBus(options: HandlerPoolOptions): { bus: EventBus; pool: HandlerPool } {
  const pool = new HandlerPool(options);
  const bus = quietBus({ maxPending: null });
  onTestFinished(() => pool.stop());
  bus.on('Go', pool.handler(task));
  return { bus, pool };
}

const go = (payload: object = {}, event_timeout = 5): BaseEvent =>
  new BaseEvent(payload, { event_type: 'Go', event_timeout });

function letGo(buffer: SharedArrayBuffer): void {
  const cells = new Int32Array(buffer);
  Atomics.store(cells, 1, 1);
  Atomics.notify(cells, 1);
}

test('pool queue - maxQueue bounds the calls that wait, those for which a thread starts not counted', async () => {
  const { bus, pool } = poolBus({ maxThreads: 2, maxQueue: 3 });
  const counter = sharedCounter();
  const { buffer } = counter;
  const held = [1, 2].map(async () => bus.dispatch(go({ what: 'hold', shared: buffer }, 30)).eventResult());
  const waiting = Array.from({ length: 3 }, async () => bus.dispatch(go()).eventResult());
  const refused = Array.from({ length: 4 }, async () => rejection(bus.dispatch(go()).eventResult()));
  for (const error of await Promise.all(refused)) {
    expect(isBusCapacityError(error)).toBe(true);
    expect(error).toMatchObject({ pending: 3, limit: 3, handlerName: 'pool handler' });
    expect(error.message).toMatch(/^HandlerPool at capacity: .* 3 wait for a thread \(maxQueue is 3\)/);
  }
  await counter.reached(2);
  expect(pool.stats()).toMatchObject({ threads: 2, running: 2, waiting: 3, failed: 4 });
  letGo(buffer);
  await Promise.all([...held, ...waiting]);
  expect(pool.stats()).toMatchObject({ running: 0, waiting: 0, completed: 5, failed: 4, timedOut: 0, crashed: 0 });
});

test('pool queue - with a maxQueue of 0 no call waits for another', async () => {
  const { bus } = poolBus({ maxThreads: 1, maxQueue: 0 });
  const first = bus.dispatch(go()).eventResult();
  expect(isBusCapacityError(await rejection(bus.dispatch(go()).eventResult()))).toBe(true);
  await first;
  expect(await bus.dispatch(go()).eventResult()).toBeGreaterThan(0);
});

test('pool queue - a call that is cancelled as it waits makes room, and is never run', async () => {
  const { bus, pool } = poolBus({ maxThreads: 1, maxQueue: 1 });
  const counter = sharedCounter();
  const { buffer } = counter;
  const held = bus.dispatch(go({ what: 'hold', shared: buffer }, 30)).eventResult();
  await counter.reached(1);
  const controller = new AbortController();
  const cancelled = rejection(bus.dispatch(go(), { signal: controller.signal }).eventResult());
  await ticks();
  expect(pool.stats().waiting).toBe(1);
  controller.abort(new Error('gave up'));
  const error = await cancelled;
  expect([error.name, (error.cause as Error).message]).toEqual(['HandlerCancelledError', 'gave up']);
  const next = bus.dispatch(go()).eventResult();
  letGo(buffer);
  expect(await next).toBe(await held);
});

test('pool queue - stats tell what became of the calls, and how long they took', async () => {
  const { bus, pool } = poolBus({ maxThreads: 2 });
  expect(pool.stats()).toEqual({
    threads: 0,
    running: 0,
    awaiting: 0,
    waiting: 0,
    completed: 0,
    failed: 0,
    timedOut: 0,
    crashed: 0,
    waitTime: null,
    runTime: null,
    utilization: expect.closeTo(0, 5) as number,
  });
  await Promise.all([1, 2, 3].map(async () => bus.dispatch(go({ what: 'sleep', ms: 100 }))));
  for (const what of ['throw', 'exit']) await rejection(bus.dispatch(go({ what })).eventResult());
  await rejection(bus.dispatch(go({ what: 'block' }, 0.2)).eventResult());
  const { waitTime, runTime, utilization, ...counts } = pool.stats();
  expect(counts).toMatchObject({ running: 0, waiting: 0, completed: 3, failed: 3, timedOut: 1, crashed: 1 });
  expect(runTime?.p50).toBeGreaterThan(0.03);
  expect(runTime?.max).toBeGreaterThan(0.19);
  expect(runTime?.max).toBeGreaterThanOrEqual(runTime?.p99 ?? 0);
  expect(waitTime?.max).toBeGreaterThan(0.09);
  expect(utilization).toBeGreaterThan(0);
  expect(utilization).toBeLessThanOrEqual(1);
});

test('pool queue - a handler that awaits an event counts as such, and gives its place to others', async () => {
  const pool = new HandlerPool({ maxThreads: 1 });
  const bus = quietBus();
  onTestFinished(() => pool.stop());
  const counter = sharedCounter();
  const { buffer } = counter;
  bus.on('Go', pool.handler(task));
  bus.on(
    'Outer',
    pool.handler(
      moduleOf(`
    export default async ({ shared }, { bus }) => {
      const { BaseEvent } = await import(${JSON.stringify(import.meta.resolve('@threadbus/core'))});
      return bus.dispatch(new BaseEvent({ what: 'hold', shared }, { event_type: 'Go' })).eventResult();
    }`),
    ),
  );
  const outer = bus.dispatch(new BaseEvent({ shared: buffer }, { event_type: 'Outer' })).eventResult();
  await counter.reached(1);
  expect(pool.stats()).toMatchObject({ threads: 2, running: 1, awaiting: 1, waiting: 0 });
  letGo(buffer);
  expect(await outer).toBeGreaterThan(0);
  expect(pool.stats()).toMatchObject({ running: 0, awaiting: 0, completed: 2 });
});
