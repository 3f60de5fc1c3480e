import { BaseEvent, type EventBus, isBusStoppedError, isHandlerTimeoutError } from '@threadbus/core';
import { HandlerPool, type HandlerPoolOptions, isLinkError, type PoolHandlerOptions } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { Step } from '../../fixtures/worker/events.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { sharedCounter, type SharedCounter } from '../../helpers/shared-counter.ts';
import { startBus } from '../../helpers/worker-bus.ts';

function poolBus(
  options: HandlerPoolOptions = {},
  kind: PoolHandlerOptions = {},
): { bus: EventBus; pool: HandlerPool } {
  const pool = new HandlerPool({ maxThreads: 2, ...options });
  const bus = quietBus({ maxPending: null });
  onTestFinished(() => pool.stop());
  bus.on('Step', pool.handler(fixtureUrl('worker/pool-tasks'), kind));
  return { bus, pool };
}

/** Runs until so many such events run at once. */
function hold(n: number, { buffer }: SharedCounter): BaseEvent {
  return new BaseEvent({ what: 'hold', n, shared: buffer }, { event_type: 'Step' });
}

test('pool - its function gets a real event, its bus, and returns a result', async () => {
  const { bus } = poolBus();
  const event = await bus.dispatch(new Step({ what: 'kind' }));
  expect(await event.eventResult()).toEqual([true, 'Step', event.event_id, bus.name]);
  const [result] = [...event.event_results.values()];
  expect(result).toMatchObject({ handler_name: 'pool-tasks.js', eventbus_name: bus.name, status: 'completed' });
});

test('pool - a hundred events use all threads, while the bus goes on', async () => {
  const { bus } = poolBus();
  const counter = sharedCounter();
  // The first two end only once both run.
  const held = [hold(2, counter), hold(2, counter)].map((event) => bus.dispatch(event).eventResult());
  const events = Array.from({ length: 100 }, () => bus.dispatch(new Step({ what: 'thread' })).eventResult());
  bus.on('Local', () => 'at once');
  expect(await bus.dispatch(new BaseEvent({}, { event_type: 'Local' })).eventResult()).toBe('at once');
  expect(new Set(await Promise.all(held)).size).toBe(2);
  expect(new Set(await Promise.all(events)).size).toBeLessThanOrEqual(2);
});

test('pool - ordered holds the slot of the bus: one after the other', async () => {
  const { bus } = poolBus({}, { ordered: true });
  const counter = sharedCounter();
  const first = bus.dispatch(hold(2, counter));
  const second = bus.dispatch(new Step({ what: 'thread' }));
  await counter.reached(1);
  expect(second.event.event_status).toBe('pending');
  // Another one that would run beside it is let in by hand.
  Atomics.store(new Int32Array(counter.buffer), 0, 2);
  Atomics.notify(new Int32Array(counter.buffer), 0);
  await first.eventResult();
  expect(await second.eventResult()).toBeGreaterThan(0);
});

test('pool - calls nested deeper than there are threads do not starve each other', async () => {
  const { bus } = poolBus({ maxThreads: 1 });
  expect(await bus.dispatch(new Step({ what: 'nested', n: 3 })).eventResult()).toBe(3);
  const many = await Promise.all([1, 1].map((n) => bus.dispatch(new Step({ what: 'nested', n })).eventResult()));
  expect(many).toEqual([1, 1]);
});

test('pool - what it dispatches is a child, run on the bus, and can be awaited', async () => {
  const { bus } = poolBus();
  bus.on('Child', ({ n }) => Number(n) + 1);
  const event = await bus.dispatch(new Step({ what: 'child', n: 1 }));
  expect(await event.eventResult()).toBe(2);
  expect(event.event_children.map(({ event_type, event_parent_id }) => [event_type, event_parent_id])).toEqual([
    ['Child', event.event_id],
  ]);
  expect(bus.logTree()).toMatch(/Step#[\s\S]*pool-tasks\.js[\s\S]*Child#/);
});

test('pool - its time starts when a thread takes it; then its signal aborts', async () => {
  const { bus } = poolBus({ maxThreads: 1 });
  const counter = sharedCounter();
  const held = bus.dispatch(hold(2, counter)).eventResult();
  await counter.reached(1);
  // Would be over before a thread is free, if waiting counted.
  const second = bus.dispatch(new Step({ what: 'thread' }, { event_timeout: 0.4 }));
  const waiting = second.eventResult();
  await new Promise((resolve) => setTimeout(resolve, 700));
  const [result] = second.event.event_results.values();
  expect([result?.status, result?.started_at]).toEqual(['pending', null]);
  Atomics.store(new Int32Array(counter.buffer), 0, 2);
  Atomics.notify(new Int32Array(counter.buffer), 0);
  const thread = await held;
  expect(await waiting).toBe(thread);
  const late = await rejection(bus.dispatch(new Step({ what: 'until aborted' }, { event_timeout: 0.2 })).eventResult());
  expect(isHandlerTimeoutError(late)).toBe(true);
  // A handler that listens to its signal keeps its thread.
  expect(await bus.dispatch(new Step({ what: 'thread' })).eventResult()).toBe(thread);
});

test('pool - an error arrives with class, message and fields', async () => {
  const { bus } = poolBus();
  const error = await rejection(bus.dispatch(new Step({ what: 'throw' })).eventResult());
  expect(error).toBeInstanceOf(RangeError);
  expect(error).toMatchObject({ message: 'from the pool', extra: 7 });
});

test('pool - a module that is missing or has no function is an error that says so', async () => {
  const { bus, pool } = poolBus();
  bus.on('Missing', pool.handler(new URL('../missing.js', import.meta.url)));
  bus.on('NoTask', pool.handler(fixtureUrl('worker/no-task')));
  const missing = await rejection(bus.dispatch(new BaseEvent({}, { event_type: 'Missing' })).eventResult());
  expect(missing.message).toContain('Cannot find module');
  const none = await rejection(bus.dispatch(new BaseEvent({}, { event_type: 'NoTask' })).eventResult());
  expect(none.message).toContain('Expected the default export of');
  expect(() => pool.handler('./resize.js')).toThrow(/Expected a pool handler's module to be a file: URL/);
});

test('pool - stop ends what runs and what waits; twice does no harm', async () => {
  const { bus, pool } = poolBus({ maxThreads: 1 });
  const counter = sharedCounter();
  const running = bus.dispatch(hold(2, counter));
  const waiting = bus.dispatch(new Step({ what: 'thread' }));
  await counter.reached(1);
  await Promise.all([pool.stop(), pool.stop(), pool[Symbol.asyncDispose]()]);
  for (const event of [running, waiting, bus.dispatch(new Step({ what: 'thread' }))]) {
    expect(isBusStoppedError(await rejection(event.eventResult()))).toBe(true);
  }
});

test('pool - stopping the bus ends its calls, the pool goes on for others', async () => {
  const { bus, pool } = poolBus({ maxThreads: 1 });
  const counter = sharedCounter();
  const running = bus.dispatch(hold(2, counter));
  await counter.reached(1);
  await bus.stop();
  expect((await rejection(running.eventResult())).name).toBe('HandlerAbortedError');
  const other = quietBus();
  other.on('Step', pool.handler(fixtureUrl('worker/pool-tasks')));
  expect(await other.dispatch(new Step({ what: 'thread' })).eventResult()).toBeGreaterThan(0);
});

test('pool - on a bus of another thread a pool handler says where it belongs', async () => {
  const { pool } = poolBus();
  const bus = await startBus('havoc-bus');
  bus.on('Elsewhere', pool.handler(fixtureUrl('worker/pool-tasks')));
  const error = await rejection(bus.dispatch(new BaseEvent({}, { event_type: 'Elsewhere' })).eventResult());
  expect(isLinkError(error)).toBe(true);
  expect(error.message).toContain("must be registered on an EventBus of the pool's own thread; Havoc is elsewhere");
});

test.each<[object, RegExp]>([
  [{ threads: 1 }, /new HandlerPool has no option 'threads'/],
  [{ maxThreads: 1.5 }, /Expected maxThreads to be a whole number/],
  [{ maxThreads: 0 }, /Expected maxThreads to be a whole number from 1 up; got 0/],
  [{ minThreads: -1 }, /Expected minThreads to be a whole number/],
  [{ idleTimeout: -1 }, /Expected idleTimeout/],
  [{ execArgv: 'x' }, /Expected execArgv/],
])('pool - the options %o are refused', (options, message) => {
  expect(() => new HandlerPool(options)).toThrow(message);
});

test('pool - where an event has been is known in the thread: on the bus that calls, or on others before', async () => {
  const { bus } = poolBus();
  const first = quietBus();
  first.on('*', bus.dispatch);
  const path = (on: EventBus): Promise<unknown> => on.dispatch(new Step({ what: 'path' })).eventResult();
  expect(await path(bus)).toEqual([bus.name]);
  expect(await path(first)).toEqual([first.name, bus.name]);
});
