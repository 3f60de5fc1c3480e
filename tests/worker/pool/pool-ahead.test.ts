import { AsyncLocalStorage } from 'node:async_hooks';
import { BaseEvent, type EventBus, isHandlerCancelledError, isHandlerTimeoutError } from '@threadbus/core';
import { registerPortableContext } from '@threadbus/link';
import { HandlerPool, type HandlerPoolOptions } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { rejection, ticks } from '../../helpers/gate.ts';
import { moduleOf } from '../../helpers/module.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { sharedCounter } from '../../helpers/shared-counter.ts';

/** Short, but for what the event says; counts how often each call was begun, and how many are at work. */
const task = moduleOf(`
  import { threadId } from 'node:worker_threads';
  import { BaseEvent } from ${JSON.stringify(import.meta.resolve('@threadbus/core'))};
  export default async ({ what, shared, runs, at }, { bus }) => {
    if (at !== undefined) Atomics.add(new Int32Array(runs), at, 1);
    if (what === 'hold') {
      const cells = new Int32Array(shared);
      Atomics.add(cells, 0, 1);
      Atomics.notify(cells, 0);
      Atomics.wait(cells, 1, 0);
    }
    if (what === 'print') console.log('printed');
    if (what === 'exit') process.exit(1);
    if (what === 'block') for (;;);
    if (what === 'await') await bus.dispatch(new BaseEvent({}, { event_type: 'Go' }));
    if (what === 'alone') {
      const cells = new Int32Array(runs);
      if (Atomics.add(cells, 0, 1) > 0) throw new Error('another is at work');
      await new Promise((resolve) => setImmediate(resolve));
      Atomics.sub(cells, 0, 1);
    }
    return threadId;
  }`);

interface Warm {
  readonly bus: EventBus;
  readonly pool: HandlerPool;
}

const go = (payload: object = {}, event_timeout = 30): BaseEvent =>
  new BaseEvent(payload, { event_type: 'Go', event_timeout });

/** Its threads are up, and its calls are known to be short. */
async function warmPool(options: HandlerPoolOptions): Promise<Warm> {
  const pool = new HandlerPool({ minThreads: options.maxThreads ?? 1, ...options });
  const bus = quietBus({ maxPending: null });
  onTestFinished(() => pool.stop());
  bus.on('Go', pool.handler(task));
  await pool.ready();
  for (let calls = 0; calls < 40; calls += 1) await Promise.all([run(bus), run(bus), run(bus)]);
  return { bus, pool };
}

async function run(bus: EventBus, payload: object = {}, timeout = 30): Promise<unknown> {
  return bus.dispatch(go(payload, timeout)).eventResult();
}

/** Counts of what has begun. */
function journal(calls: number): { readonly runs: SharedArrayBuffer; readonly counts: () => number[] } {
  const cells = new Int32Array(new SharedArrayBuffer(calls * 4));
  return { runs: cells.buffer, counts: () => [...cells] };
}

function letGo(buffer: SharedArrayBuffer): void {
  const cells = new Int32Array(buffer);
  Atomics.store(cells, 1, 1);
  Atomics.notify(cells, 1);
}

/** One that holds its thread, and others that were dispatched behind it. */
async function behindHeld({ bus }: Warm, others: readonly object[]) {
  const counter = sharedCounter();
  const held = run(bus, { what: 'hold', shared: counter.buffer });
  const behind = others.map(async (payload) => run(bus, payload));
  await counter.reached(1);
  return { held, behind, release: () => letGo(counter.buffer) };
}

const each = [0, 1, 2, 3, 4, 5];

test('calls ahead - those behind one that blocks go to another thread, each once', async () => {
  const pool = await warmPool({ maxThreads: 2 });
  const { runs, counts } = journal(each.length);
  const { held, behind, release } = await behindHeld(
    pool,
    each.map((at) => ({ at, runs })),
  );
  const threads = new Set(await Promise.all(behind));
  release();
  expect(threads).not.toContain(await held);
  expect(counts()).toEqual(each.map(() => 1));
  expect(pool.pool.stats()).toMatchObject({ waiting: 0, running: 0, failed: 0 });
});

test('calls ahead - with one thread they wait for it, and are at work one at a time', async () => {
  const pool = await warmPool({ maxThreads: 1 });
  const { runs, counts } = journal(1);
  const { behind, release } = await behindHeld(
    pool,
    Array.from({ length: 50 }, () => ({ what: 'alone', runs })),
  );
  release();
  expect(new Set(await Promise.all(behind)).size).toBe(1);
  expect(counts()).toEqual([0]);
});

test('calls ahead - those behind a runaway are done once it is ended', async () => {
  const pool = await warmPool({ maxThreads: 1 });
  const { runs, counts } = journal(each.length);
  const runaway = rejection(run(pool.bus, { what: 'block' }, 0.2));
  const behind = each.map(async (at) => run(pool.bus, { at, runs }));
  expect(isHandlerTimeoutError(await runaway)).toBe(true);
  await Promise.all(behind);
  expect(counts()).toEqual(each.map(() => 1));
});

test('calls ahead - a thread that dies is not their fault, however often', async () => {
  const pool = await warmPool({ maxThreads: 1 });
  const { runs, counts } = journal(each.length + 6);
  const calls = [0, 1, 2, 3, 4, 5].map(async (at) => rejection(run(pool.bus, { what: 'exit', at, runs })));
  const behind = each.map(async (at) => run(pool.bus, { at: at + 6, runs }));
  for (const error of await Promise.all(calls)) expect(error).toMatchObject({ name: 'WorkerCrashedError' });
  await Promise.all(behind);
  expect(counts()).toEqual([...each, ...each].map(() => 1));
});

test('calls ahead - one that is cancelled never begins, and its event ends at once', async () => {
  const pool = await warmPool({ maxThreads: 1 });
  const { runs, counts } = journal(2);
  const { held, release } = await behindHeld(pool, []);
  const controller = new AbortController();
  const event = go({ at: 0, runs });
  const cancelled = pool.bus.dispatch(event, { signal: controller.signal });
  const kept = run(pool.bus, { at: 1, runs });
  await ticks();
  controller.abort(new Error('gave up'));
  await cancelled;
  expect(isHandlerCancelledError([...event.event_results.values()][0]?.error)).toBe(true);
  expect(event.event_status).toBe('completed');
  release();
  await Promise.all([held, kept]);
  expect(counts()).toEqual([0, 1]);
});

test('calls ahead - those behind a handler that awaits an event go elsewhere, and can not block it', async () => {
  const pool = await warmPool({ maxThreads: 1 });
  const { runs, counts } = journal(each.length);
  const awaiting = each.map(async () => run(pool.bus, { what: 'await' }));
  const behind = each.map(async (at) => run(pool.bus, { at, runs }));
  await Promise.all([...awaiting, ...behind]);
  expect(counts()).toEqual(each.map(() => 1));
});

test('calls ahead - two handlers of one event are both called in one thread', async () => {
  const pool = new HandlerPool({ maxThreads: 1 });
  onTestFinished(() => pool.stop());
  const bus = quietBus({ maxPending: null, parallelHandlers: true });
  const other = moduleOf(`export default () => 'other'`);
  bus.on('Go', pool.handler(task));
  bus.on('Go', pool.handler(other));
  await Promise.all(Array.from({ length: 30 }, async () => bus.dispatch(go()).eventResultsList()));
  const lists = await Promise.all(Array.from({ length: 200 }, async () => bus.dispatch(go()).eventResultsList()));
  expect(lists.every((list) => list.length === 2 && list[1] === 'other')).toBe(true);
});

test('calls ahead - buffers move only when it is the turn of their event', async () => {
  const pool = await warmPool({ maxThreads: 1 });
  const { held, release } = await behindHeld(pool, []);
  const bytes = new Uint8Array(8);
  const moved = pool.bus.dispatch(go({ bytes }), { transfer: [bytes.buffer] });
  await ticks();
  expect(bytes.byteLength).toBe(8);
  release();
  await Promise.all([held, moved.eventResult()]);
  expect(bytes.byteLength).toBe(0);
});

test('calls ahead - an answer leaves before the next call begins, also behind what was printed', async () => {
  const pool = await warmPool({ maxThreads: 1 });
  const counter = sharedCounter();
  const quick = [{}, { what: 'print' }, {}].map(async (payload) => run(pool.bus, payload));
  const held = run(pool.bus, { what: 'hold', shared: counter.buffer });
  const threads = await Promise.all(quick);
  await counter.reached(1);
  letGo(counter.buffer);
  expect(threads).toEqual(Array(3).fill(await held));
});

test('calls ahead - each is called in the context in which its event was dispatched', async () => {
  const storage = new AsyncLocalStorage<number>();
  const shown = `
    import { AsyncLocalStorage } from 'node:async_hooks';
    import { registerPortableContext } from ${JSON.stringify(import.meta.resolve('@threadbus/link'))};
    const storage = new AsyncLocalStorage();
    registerPortableContext({
      name: 'ahead', capture: () => storage.getStore(), run: (value, inside) => storage.run(value, inside),
    });
    export default async () => {
      const first = storage.getStore();
      await new Promise((resolve) => setImmediate(resolve));
      return [first, storage.getStore()];
    }`;
  onTestFinished(
    registerPortableContext<number>({
      name: 'ahead',
      capture: () => storage.getStore(),
      run: (value, inside) => storage.run(value, inside),
    }),
  );
  const pool = new HandlerPool({ maxThreads: 1 });
  onTestFinished(() => pool.stop());
  const bus = quietBus({ maxPending: null });
  bus.on('Go', pool.handler(moduleOf(shown)));
  await run(bus);
  const all = Array.from({ length: 100 }, (_, at) => at);
  const seen = await Promise.all(all.map(async (at) => storage.run(at, async () => run(bus))));
  expect(seen).toEqual(all.map((at) => [at, at]));
});

test('calls ahead - a pool that is stopped ends all of them, and none begins', async () => {
  const pool = await warmPool({ maxThreads: 1 });
  const { runs, counts } = journal(each.length);
  const { held, behind } = await behindHeld(
    pool,
    each.map((at) => ({ at, runs })),
  );
  const errors = [held, ...behind].map(async (call) => rejection(call));
  await pool.pool.stop();
  for (const error of await Promise.all(errors)) expect(error).toMatchObject({ name: 'BusStoppedError' });
  expect(counts()).toEqual(each.map(() => 0));
});
