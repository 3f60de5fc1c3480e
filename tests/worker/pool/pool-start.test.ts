import { setTimeout as sleep } from 'node:timers/promises';
import { BaseEvent, type EventBus, isBusStoppedError, isHandlerTimeoutError } from '@threadbus/core';
import { HandlerPool, type HandlerPoolOptions, isWorkerStartError, observeThreads } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { gate, rejection } from '../../helpers/gate.ts';
import { moduleOf } from '../../helpers/module.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { runProgram } from '../../helpers/run-program.ts';

interface Outcome {
  readonly outcomes: readonly string[];
  readonly settled: number;
  readonly stopped: number;
  readonly started: number;
  readonly most: number;
  readonly left: number;
}

/** Runs a pool of two threads that don't start, in a process of its own: nothing there may be uncaught. */
async function failing(why: string, calls = 4, startTimeout = 10, then = ''): Promise<Outcome> {
  const args = [why, calls, startTimeout, then].map(String);
  const { code, stdout, stderr } = await runProgram('worker/failing-pool', args);
  // What the threads print of their own end is no matter of ours.
  expect([code, stderr.includes('Uncaught')], `${stdout}\n${stderr}`).toEqual([0, false]);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Outcome;
}

/** What comes of a call that has got a thread: a busy machine may not have one up in the time that the test gives it. */
async function onceUp<T>(call: () => Promise<T>): Promise<T> {
  const outcome = await call();
  return outcome instanceof Error && outcome.message.includes('it was not up within') ? onceUp(call) : outcome;
}

function poolOf(options: HandlerPoolOptions): HandlerPool {
  const pool = new HandlerPool({ maxThreads: 1, ...options });
  onTestFinished(() => pool.stop());
  return pool;
}

function busOf(pool: HandlerPool, text: string): EventBus {
  const bus = quietBus();
  bus.on('Go', pool.handler(moduleOf(text)));
  return bus;
}

function go(event_timeout: number | null = 0.3): BaseEvent {
  return new BaseEvent({}, { event_type: 'Go', event_timeout });
}

test.each([
  ['tiny heap', /^WorkerStartError: A pool thread could not be started: .*memory limit/],
  ['throws', /^WorkerStartError: A pool thread could not be started: preload threw/],
  ['exits', /^WorkerStartError: A pool thread could not be started: it ended with exit code 5/],
  ['hangs', /^WorkerStartError: A pool thread could not be started: it was not up within 1 s/],
  ['bad options', /^WorkerStartError: A pool thread could not be started: .*--max-old-space-size/],
])('pool start - %s: every call fails with the reason, and nothing else happens', async (why, message) => {
  const { outcomes, settled, stopped, most, left } = await failing(why, 4, why === 'hangs' ? 1 : 10);
  expect(outcomes).toEqual(Array.from({ length: 4 }, () => expect.stringMatching(message) as string));
  expect(settled).toBeLessThan(8);
  expect(stopped).toBeLessThan(3);
  expect(most).toBeLessThanOrEqual(2);
  expect(left).toBe(0);
});

test('pool start - a start that fails while others are there costs no call, and makes no threads without end', async () => {
  const { outcomes, started, most } = await failing('throws once', 6);
  expect(outcomes).toEqual(Array.from({ length: 6 }, () => 'done'));
  expect(most).toBe(2);
  expect(started).toBeLessThanOrEqual(3);
});

test('pool start - where the system allows one thread, that does all the work', async () => {
  const { outcomes, most, started } = await failing('one thread', 20);
  expect(outcomes).toEqual(Array.from({ length: 20 }, () => 'done'));
  expect(most).toBe(1);
  // Now and then it is tried again, not for each call.
  expect(started).toBeLessThan(20);
});

test('pool start - a call that a handler in the only thread awaits fails if no second one can be started', async () => {
  const { outcomes, most, left } = await failing('one thread', 1, 10, 'nested');
  expect(outcomes).toEqual([expect.stringMatching(/^WorkerStartError: .*EAGAIN/)]);
  expect([most, left]).toEqual([1, 0]);
});

test('pool start - the next call after a failed start starts anew', async () => {
  const pool = poolOf({ env: { ...process.env, READY: '' }, resourceLimits: { maxOldGenerationSizeMb: 2 } });
  const bus = busOf(pool, 'export default () => 1');
  for (const event of [go(), go()]) {
    expect(isWorkerStartError(await rejection(bus.dispatch(event).eventResult()))).toBe(true);
  }
  expect(pool.stats()).toMatchObject({ threads: 0, waiting: 0, failed: 2, crashed: 0 });
});

test('pool start - loading a module takes none of the time of its events', async () => {
  const pool = poolOf({});
  const bus = busOf(
    pool,
    'for (const end = performance.now() + 900; performance.now() < end;); export default () => "done"',
  );
  for (let call = 0; call < 3; call += 1) expect(await bus.dispatch(go()).eventResult()).toBe('done');
  expect(pool.stats()).toMatchObject({ threads: 1, completed: 3, timedOut: 0 });
});

test.each([
  [
    'waits for ever',
    'await new Promise(() => setInterval(() => {}, 1000)); export default () => 1',
    /did not load .* within 2 s/,
  ],
  ['blocks', 'for (;;); export default () => 1', /did not load in a pool thread within 2 s/],
  [
    'ends its thread',
    'process.exit(4); export default () => 1',
    /could not be loaded in a pool thread: it ended with exit code 4/,
  ],
])('pool start - a module that %s as it loads fails its call with WorkerStartError', async (_, text, message) => {
  const pool = poolOf({ startTimeout: 2 });
  const bus = busOf(pool, text);
  bus.on('Other', pool.handler(moduleOf('export default () => 2')));
  const other = async (): Promise<unknown> => bus.dispatch(new BaseEvent({}, { event_type: 'Other' })).eventResult();
  const error = await onceUp(async () => rejection(bus.dispatch(go(null)).eventResult()));
  expect(isWorkerStartError(error)).toBe(true);
  expect(error.message).toMatch(message);
  expect(await onceUp(async () => other().catch((failure: unknown) => failure))).toBe(2);
});

test('pool start - a module that throws as it loads fails its calls with what it threw', async () => {
  const bus = busOf(poolOf({}), 'throw new RangeError("not today"); export default () => 1');
  for (const event of [go(), go()]) {
    const error = await rejection(bus.dispatch(event).eventResult());
    expect([error.name, error.message]).toEqual(['RangeError', 'not today']);
  }
});

test('pool start - a call that is ended while its module loads is never started', async () => {
  const counter = new Int32Array(new SharedArrayBuffer(8));
  const text = `
    const { shared } = (await import('node:worker_threads')).workerData ?? {};
    await new Promise((resolve) => setTimeout(resolve, 600));
    export default ({ shared }) => { Atomics.add(new Int32Array(shared), 0, 1); return 'ran' }`;
  const bus = busOf(poolOf({}), text);
  const stopped = quietBus();
  stopped.on('Go', (event) => bus.dispatch(event).eventResult());
  const parent = new BaseEvent({}, { event_type: 'Parent', event_timeout: 0.3 });
  const child = new BaseEvent({ shared: counter.buffer }, { event_type: 'Go', event_timeout: null });
  stopped.on('Parent', async () => bus.dispatch(child).eventResult());
  expect(isHandlerTimeoutError(await rejection(stopped.dispatch(parent).eventResult()))).toBe(true);
  expect(child.event_status).toBe('completed');
  // The thread has loaded the module all the same, and serves the next call with it.
  const next = new BaseEvent({ shared: counter.buffer }, { event_type: 'Go', event_timeout: 5 });
  expect(await bus.dispatch(next).eventResult()).toBe('ran');
  expect(counter[0]).toBe(1);
});

test('pool start - ready waits until threads are up and have loaded what is to be preloaded', async () => {
  const preload = moduleOf('await new Promise((resolve) => setTimeout(resolve, 100)); export default () => "loaded"');
  const pool = poolOf({ maxThreads: 2, minThreads: 2, preload: [preload] });
  await pool.ready();
  expect(pool.stats()).toMatchObject({ threads: 2, running: 0, waiting: 0 });
  await pool.ready();
  const one = poolOf({});
  expect(one.stats().threads).toBe(0);
  await one.ready();
  expect(one.stats().threads).toBe(1);
});

test('pool start - ready fails with what keeps a thread from starting, or when the pool stops', async () => {
  const missing = new URL('../missing.js', import.meta.url);
  const error = await rejection(poolOf({ preload: [missing] }).ready());
  expect(isWorkerStartError(error)).toBe(true);
  expect(error.message).toMatch(/could not load .*missing.js, which it is to preload: Cannot find module/);
  const pool = poolOf({});
  const ready = rejection(pool.ready());
  await pool.stop();
  expect(isBusStoppedError(await ready)).toBe(true);
  expect(isBusStoppedError(await rejection(pool.ready()))).toBe(true);
});

test('pool start - a thread that is stopped as it starts has not failed to start', async () => {
  const { code, stderr } = await runProgram('worker/failing-pool', ['nothing', '0', '10', 'starting']);
  expect([code, stderr]).toEqual([0, '']);
});

test('pool start - threads that are kept are replaced when they crash, but not without end', async () => {
  const pool = poolOf({ minThreads: 1 });
  const bus = busOf(pool, 'export default () => process.exit(3)');
  await pool.ready();
  await rejection(bus.dispatch(go()).eventResult());
  await pool.ready();
  expect(pool.stats()).toMatchObject({ threads: 1, crashed: 1 });
});

test('pool start - threads that are kept are replaced when what was their first call is given up', async () => {
  const replaced = gate();
  let started = 0;
  const off = observeThreads({ started: () => void ((started += 1) === 4 && replaced.open()) });
  onTestFinished(off);
  const pool = poolOf({ maxThreads: 2, minThreads: 2 });
  const bus = busOf(pool, 'export default () => { for (;;); }');
  await pool.ready();
  const results = [go(), go()].map(async (event) => rejection(bus.dispatch(event).eventResult()));
  for (const error of await Promise.all(results)) expect(isHandlerTimeoutError(error)).toBe(true);
  // Nobody calls, and nobody asks whether they are ready: they are there all the same.
  await replaced.opened;
  expect(pool.stats().threads).toBe(2);
});

test('pool start - a thread with nothing to do ends, those that are to be kept stay', async () => {
  const pool = poolOf({ maxThreads: 2, minThreads: 1, idleTimeout: 0.1 });
  const bus = busOf(pool, 'export default () => new Promise((resolve) => setTimeout(resolve, 50))');
  await Promise.all([go(5), go(5)].map(async (event) => bus.dispatch(event)));
  expect(pool.stats().threads).toBe(2);
  while (pool.stats().threads > 1) await sleep(20);
  await sleep(200);
  expect(pool.stats().threads).toBe(1);
});
