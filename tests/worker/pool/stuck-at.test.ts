import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { BaseEvent, type EventBus, type HandlerTimeoutError, isHandlerTimeoutError } from '@threadbus/core';
import { HandlerPool } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { Havoc, Step } from '../../fixtures/worker/events.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { runProgram } from '../../helpers/run-program.ts';
import { sharedCounter } from '../../helpers/shared-counter.ts';

const source = new URL('../../fixtures/worker/havoc.ts', import.meta.url);
const lines = readFileSync(fileURLToPath(source), 'utf8').split('\n');

/** The line behind that of its case. */
function lineOf(what: string): number {
  return lines.findIndex((line) => line.includes(`case '${what}':`)) + 2;
}

/** What is busy itself may not answer within the half second that it has. */
const patient = { retry: 5, timeout: 90_000 };

function poolBus(maxThreads = 1): { bus: EventBus; pool: HandlerPool } {
  const pool = new HandlerPool({ maxThreads });
  onTestFinished(() => pool.stop());
  const bus = quietBus({ maxPending: null });
  bus.on(Havoc, pool.handler(fixtureUrl('worker/havoc-task')));
  bus.on(Step, pool.handler(fixtureUrl('worker/pool-tasks')));
  return { bus, pool };
}

test.each(['loop', 'regex', 'allocation loop', 'Atomics.wait', 'microtask loop'])(
  'pool - the error of a handler that blocks by %s names the line in its source',
  patient,
  async (what) => {
    const { bus, pool } = poolBus();
    const error = await rejection(bus.dispatch(new Havoc({ what }, { event_timeout: 0.2 })).eventResult());
    expect(isHandlerTimeoutError(error)).toBe(true);
    const { stuckAt, message, stack } = error as HandlerTimeoutError;
    expect(stuckAt?.[0]).toMatchObject({ functionName: 'havoc', url: source.href, line: lineOf(what) });
    expect(stuckAt?.every(({ url }) => !url.startsWith('node:') && !url.includes('/packages/'))).toBe(true);
    expect(message).toContain(`It was at havoc (${fileURLToPath(source)}:${lineOf(what)}:`);
    expect(stack).toContain(`    at havoc (${fileURLToPath(source)}:${lineOf(what)}:`);
    expect(pool.stats().timedOut).toBe(1);
    expect(await bus.dispatch(new Havoc({ what: 'fine' })).eventResult()).toBe('fine');
  },
);

test('pool - a handler that does not block times out without being looked at, and its thread stays', async () => {
  const { bus } = poolBus();
  const thread = await bus.dispatch(new Step({ what: 'thread' })).eventResult();
  const error = await rejection(
    bus.dispatch(new Step({ what: 'until aborted' }, { event_timeout: 0.05 })).eventResult(),
  );
  expect(isHandlerTimeoutError(error)).toBe(true);
  expect((error as HandlerTimeoutError).stuckAt).toBe(null);
  expect(await bus.dispatch(new Step({ what: 'thread' })).eventResult()).toBe(thread);
});

test('pool - a native call gives nothing, and its event ends all the same', async () => {
  const { bus } = poolBus();
  const error = await rejection(bus.dispatch(new Havoc({ what: 'native call' }, { event_timeout: 0.2 })).eventResult());
  expect(isHandlerTimeoutError(error)).toBe(true);
  expect((error as HandlerTimeoutError).stuckAt).toBe(null);
});

test('pool - a cancel ends a call while its thread is asked where it is', async () => {
  const { bus } = poolBus();
  const controller = new AbortController();
  const loop = new Havoc({ what: 'loop' }, { event_timeout: 0.1 });
  const dispatch = bus.dispatch(loop, { signal: controller.signal });
  // Up to its time it is busy, and for a tenth of a second after that it is pinged.
  await sleep(350);
  controller.abort(new Error('not any more'));
  const [result] = [...(await dispatch).event_results.values()];
  expect(result?.status).toBe('error');
  expect(await bus.dispatch(new Havoc({ what: 'fine' })).eventResult()).toBe('fine');
});

test('pool - of ten threads that are stuck at once, each says where', patient, async () => {
  const { bus, pool } = poolBus(10);
  const events = Array.from({ length: 10 }, () => new Havoc({ what: 'loop' }, { event_timeout: 0.5 }));
  const errors = await Promise.all(events.map(async (event) => rejection(bus.dispatch(event).eventResult())));
  const found = errors.map((error) => (error as HandlerTimeoutError).stuckAt?.[0]?.functionName);
  expect(found).toEqual(events.map(() => 'havoc'));
  expect(pool.stats().timedOut).toBe(10);
});

test('pool - whereIs tells what busy threads are doing, and ends none', patient, async () => {
  const { bus, pool } = poolBus(2);
  expect(await pool.whereIs()).toEqual([]);
  const counter = sharedCounter();
  const hold = new BaseEvent({ what: 'hold', n: 2, shared: counter.buffer }, { event_type: 'Step' });
  const pending = bus.dispatch(hold);
  await counter.reached(1);
  const [where, ...others] = await pool.whereIs();
  expect(others).toEqual([]);
  expect(where).toMatchObject({ eventId: hold.event_id, handlerName: 'pool-tasks.js' });
  expect(where?.frames[0]?.url).toBe(new URL('../../fixtures/worker/pool-tasks.ts', import.meta.url).href);
  Atomics.store(new Int32Array(counter.buffer), 0, 2);
  Atomics.notify(new Int32Array(counter.buffer), 0);
  expect(await pending.eventResult()).toBe(where?.threadId);
  expect(await pool.whereIs()).toEqual([]);
});

test('pool - beside a debugger no thread is ended for its time, but stop still ends it', patient, async () => {
  const alone = await runProgram('worker/debugged-pool-program');
  expect(alone.stdout).toBe('alone: error, another thread\n');
  const debugged = await runProgram('worker/debugged-pool-program', [], ['--inspect=127.0.0.1:0']);
  expect(debugged.stdout).toBe('debugged: completed, same thread\n');
  expect(debugged.code).toBe(0);
});
