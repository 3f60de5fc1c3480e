import { setTimeout as sleep } from 'node:timers/promises';
import { BaseEvent, type EventBus, isHandlerTimeoutError } from '@threadbus/core';
import { HandlerPool } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { rejection } from '../../helpers/gate.ts';
import { moduleOf } from '../../helpers/module.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

/** Ends late, without a look at its signal, and then blocks its thread in the way that the event says. */
const late = moduleOf(`
  import { threadId } from 'node:worker_threads';
  const ways = {
    loop: () => { for (;;); },
    wait: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
    regex: () => /^(?:a+)+$/.test('a'.repeat(60) + 'b'),
    microtasks: async () => { for (;;) await null; },
  };
  export default async ({ how, after = 350, shared }) => {
    if (shared) Atomics.add(new Int32Array(shared), 0, 1);
    if (!how) return threadId;
    await new Promise((resolve) => setTimeout(resolve, after));
    await ways[how]();
  }`);

function poolBus(maxThreads = 1): { bus: EventBus; pool: HandlerPool } {
  const pool = new HandlerPool({ maxThreads });
  const bus = quietBus();
  onTestFinished(() => pool.stop());
  bus.on('Go', pool.handler(late));
  return { bus, pool };
}

function go(payload: object = {}, event_timeout: number | null = 5): BaseEvent {
  return new BaseEvent(payload, { event_type: 'Go', event_timeout });
}

test.each(['loop', 'wait', 'regex', 'microtasks'])(
  'pool late - a handler that blocks its thread (%s) after its time was up costs the next call nothing but time',
  async (how) => {
    const { bus, pool } = poolBus();
    const thread = await bus.dispatch(go()).eventResult();
    expect(isHandlerTimeoutError(await rejection(bus.dispatch(go({ how }, 0.2)).eventResult()))).toBe(true);
    await sleep(250);
    expect(await bus.dispatch(go()).eventResult()).toBeGreaterThan(thread as number);
    expect(pool.stats()).toMatchObject({ threads: 1, completed: 2, failed: 1, timedOut: 1, crashed: 0 });
  },
);

test('pool late - a call that is given just before the thread blocks goes to another', async () => {
  const { bus } = poolBus();
  const thread = await bus.dispatch(go()).eventResult();
  // It has its answer at once, and blocks a moment later: while the next calls come, or before.
  await rejection(bus.dispatch(go({ how: 'loop', after: 110 }, 0.1)).eventResult());
  const answers = [];
  for (let call = 0; call < 40; call += 1) answers.push(await bus.dispatch(go()).eventResult());
  await sleep(50);
  for (let call = 0; call < 5; call += 1) answers.push(await bus.dispatch(go()).eventResult());
  expect(answers.at(-1)).toBeGreaterThan(thread as number);
  expect(new Set(answers).size).toBeLessThanOrEqual(2);
});

test('pool late - a call in front of which a thread is blocked has its own time, and is run once', async () => {
  const { bus } = poolBus();
  const counter = new Int32Array(new SharedArrayBuffer(4));
  await rejection(bus.dispatch(go({ how: 'loop' }, 0.2)).eventResult());
  await sleep(250);
  const calls = Array.from({ length: 5 }, async () => bus.dispatch(go({ shared: counter.buffer }, 5)).eventResult());
  expect(new Set(await Promise.all(calls)).size).toBe(1);
  expect(counter[0]).toBe(5);
});

test('pool late - what a call has moved is lost with the thread that did not take it: the call says so', async () => {
  const { bus } = poolBus();
  await rejection(bus.dispatch(go({ how: 'loop' }, 0.2)).eventResult());
  await sleep(250);
  const bytes = new Uint8Array(8);
  const error = await rejection(bus.dispatch(go({ bytes }, null), { transfer: [bytes.buffer] }).eventResult());
  expect([error.name, error.message]).toEqual([
    'WorkerCrashedError',
    expect.stringMatching(/blocked by a handler whose event had ended/),
  ]);
});

test('pool late - threads that block one after the other do not pile up, and stop is quick', async () => {
  const { bus, pool } = poolBus(2);
  for (let round = 0; round < 3; round += 1) {
    const blocked = [go({ how: 'loop', after: 120 }, 0.1), go({ how: 'wait', after: 120 }, 0.1)];
    await Promise.all(blocked.map(async (event) => rejection(bus.dispatch(event).eventResult())));
    await sleep(50);
    const served = await Promise.all([go(), go(), go()].map(async (event) => bus.dispatch(event).eventResult()));
    expect(served.every((thread) => typeof thread === 'number')).toBe(true);
    expect(pool.stats().threads).toBeLessThanOrEqual(2);
  }
  const begun = performance.now();
  await pool.stop();
  expect(performance.now() - begun).toBeLessThan(3000);
});
