import { setTimeout as sleep } from 'node:timers/promises';
import { BaseEvent, type EventBus, isHandlerTimeoutError } from '@threadbus/core';
import { HandlerPool, isWorkerCrashedError } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { gate, rejection, ticks } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { sharedCounter, type SharedCounter } from '../../helpers/shared-counter.ts';

function onePool(): HandlerPool {
  const pool = new HandlerPool({ maxThreads: 1 });
  onTestFinished(() => pool.stop());
  return pool;
}

function poolBus(pool = onePool()): EventBus {
  const bus = quietBus();
  bus.on('Step', pool.handler(fixtureUrl('worker/leftover-task')));
  return bus;
}

function step(what: string, more: object = {}, event_timeout?: number): BaseEvent {
  return new BaseEvent(
    { what, ...more },
    { event_type: 'Step', ...(event_timeout !== undefined && { event_timeout }) },
  );
}

function letGo({ buffer }: SharedCounter): void {
  const view = new Int32Array(buffer);
  Atomics.store(view, 1, 1);
  Atomics.notify(view, 1);
}

test('pool thread - a call whose thread dies before it takes it goes to another thread', async () => {
  const bus = poolBus();
  const counter = sharedCounter();
  const thread = await bus.dispatch(step('block and throw', { shared: counter.buffer })).eventResult();
  // Given to the same thread, which doesn't look at it any more.
  const next = bus.dispatch(step('thread')).eventResult();
  await counter.reached(1);
  letGo(counter);
  expect(await next).toBeGreaterThan(thread as number);
});

test('pool thread - what a lost thread knows of calls is not asked for one that another is about to get', async () => {
  const pool = new HandlerPool({ maxThreads: 2, minThreads: 2 });
  onTestFinished(() => pool.stop());
  await pool.ready();
  const bus = quietBus();
  bus.on('Step', pool.handler(fixtureUrl('worker/slow-loaded-task')));
  const counter = sharedCounter();
  const thread = await bus.dispatch(step('block and throw', { shared: counter.buffer })).eventResult();
  const next = bus.dispatch(step('thread'));
  const answer = next.eventResult();
  await counter.reached(1);
  // The other thread gets the call now, and loads its module for longer than it was waited for this one to take it.
  letGo(counter);
  expect(await answer).not.toBe(thread);
  const [result] = next.event.event_results.values();
  expect(Date.parse(result?.started_at ?? '')).toBeGreaterThanOrEqual(Date.parse(next.event.event_created_at));
});

test('pool thread - a call whose buffers went to a thread that dies before it takes it fails', async () => {
  const bus = poolBus();
  const counter = sharedCounter();
  await bus.dispatch(step('block and throw', { shared: counter.buffer })).eventResult();
  const bytes = new Uint8Array([7]);
  const next = rejection(bus.dispatch(step('bytes', { bytes }), { transfer: [bytes.buffer] }).eventResult());
  await counter.reached(1);
  letGo(counter);
  const error = await next;
  expect(isWorkerCrashedError(error)).toBe(true);
  expect(error.message).toContain('thrown late');
  const others = new Uint8Array([8]);
  expect(await bus.dispatch(step('bytes', { bytes: others }), { transfer: [others.buffer] }).eventResult()).toBe(8);
});

test('pool thread - the time of a call does not start while what another left behind blocks the thread', async () => {
  const bus = poolBus();
  const counter = sharedCounter();
  const thread = await bus.dispatch(step('block', { shared: counter.buffer })).eventResult();
  const next = bus.dispatch(step('thread'));
  const answer = next.eventResult();
  await counter.reached(1);
  await ticks();
  const [result] = next.event.event_results.values();
  expect([result?.status, result?.started_at]).toEqual(['pending', null]);
  letGo(counter);
  expect(await answer).toBe(thread);
});

test('pool thread - a thread that dies between two calls fails none', async () => {
  const bus = poolBus();
  const counter = sharedCounter();
  const thread = await bus.dispatch(step('block and throw', { shared: counter.buffer })).eventResult();
  await counter.reached(1);
  letGo(counter);
  expect(await bus.dispatch(step('thread')).eventResult()).toBeGreaterThan(thread as number);
});

test('pool thread - a handler that goes on after its end does not speak for the next call', async () => {
  const bus = poolBus();
  const arrived = gate();
  const answer = gate();
  bus.on('Child', async () => {
    arrived.open();
    await answer.opened;
  });
  const ended = await rejection(bus.dispatch(step('go on after the end', {}, 0.3)).eventResult());
  expect(isHandlerTimeoutError(ended)).toBe(true);
  const running = bus.dispatch(step('let it go on')).eventResult();
  await arrived.opened;
  await ticks();
  // The await of the first one is over; the second holds the only thread.
  const waiting = bus.dispatch(step('thread')).eventResult();
  await ticks();
  answer.open();
  expect(await waiting).toBe(await running);
});

test('pool thread - a handler that ends when told leaves its thread unharmed to the next call', async () => {
  const bus = poolBus();
  const counter = sharedCounter();
  const thread = await bus.dispatch(step('thread')).eventResult();
  await rejection(bus.dispatch(step('until aborted', {}, 0.2)).eventResult());
  const next = bus.dispatch(step('hold', { shared: counter.buffer })).eventResult();
  await counter.reached(1);
  // Longer than a thread has to answer that its handler was ended.
  await sleep(400);
  letGo(counter);
  expect(await next).toBe(thread);
});

test('pool thread - calls that come now and then are answered', async () => {
  const bus = poolBus();
  for (let pause = 5; pause < 15; pause += 0.5) {
    expect(await bus.dispatch(step('thread')).eventResult()).toBeGreaterThan(0);
    await sleep(pause);
  }
});

test('pool thread - one thread serves several buses, each with its own events', async () => {
  const pool = onePool();
  const buses = [poolBus(pool), poolBus(pool)];
  for (const bus of buses) bus.on('Who', () => bus.id);
  const threads = new Set<unknown>();
  for (const bus of [...buses, ...buses]) {
    const [thread, name, id] = (await bus.dispatch(step('ask')).eventResult()) as unknown[];
    expect([name, id]).toEqual([bus.name, bus.id]);
    threads.add(thread);
  }
  expect(threads.size).toBe(1);
});

test('pool thread - more buses than a thread keeps links of are served all the same', async () => {
  const pool = onePool();
  for (let n = 0; n < 70; n += 1) {
    expect(await poolBus(pool).dispatch(step('thread')).eventResult()).toBeGreaterThan(0);
  }
});

test('pool thread - a handler that has returned leaves room for the pool calls that it has not awaited', async () => {
  const bus = poolBus();
  const event = await bus.dispatch(step('leave a child', {}, 5));
  expect(await event.eventResult()).toBeGreaterThan(0);
  expect(await event.event_children[0]?.eventResult()).toBeGreaterThan(0);
});
