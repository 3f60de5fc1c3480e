import { BaseEvent, type EventBus, isHandlerTimeoutError } from '@threadbus/core';
import { HandlerPool } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { rejection } from '../../helpers/gate.ts';
import { moduleOf } from '../../helpers/module.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { sharedCounter } from '../../helpers/shared-counter.ts';

/**
 * Ends late, without a look at its signal, and then blocks its thread in the way that the event says. Counts up before it
 * answers, or blocks.
 */
const late = moduleOf(`
  import { threadId } from 'node:worker_threads';
  const ways = {
    loop: () => { for (;;); },
    wait: () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0),
    regex: () => /^(?:a+)+$/.test('a'.repeat(60) + 'b'),
    microtasks: async () => { for (;;) await null; },
  };
  export default async ({ how, after = 350, shared }) => {
    const count = () => {
      if (!shared) return;
      Atomics.add(new Int32Array(shared), 0, 1);
      Atomics.notify(new Int32Array(shared), 0);
    };
    if (!how) return (count(), threadId);
    await new Promise((resolve) => setTimeout(resolve, after));
    count();
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

/** The thread is blocked by a handler whose event has ended. */
async function blocked(bus: EventBus, how: string): Promise<void> {
  const blocks = sharedCounter();
  const error = await rejection(bus.dispatch(go({ how, shared: blocks.buffer }, 0.2)).eventResult());
  expect(isHandlerTimeoutError(error)).toBe(true);
  await blocks.reached(1);
}

test.each(['loop', 'wait', 'regex', 'microtasks'])(
  'pool late - a handler that blocks its thread (%s) after its time was up costs the next call nothing but time',
  async (how) => {
    const { bus, pool } = poolBus();
    const thread = await bus.dispatch(go()).eventResult();
    await blocked(bus, how);
    expect(await bus.dispatch(go()).eventResult()).toBeGreaterThan(thread as number);
    expect(pool.stats()).toMatchObject({ threads: 1, completed: 2, failed: 1, timedOut: 1, crashed: 0 });
  },
);

test('pool late - a call that is given just before the thread blocks goes to another', async () => {
  const { bus } = poolBus();
  const thread = await bus.dispatch(go()).eventResult();
  // It has its answer at once, and blocks a moment later: while the next calls come, or before.
  const blocks = sharedCounter();
  const shared = blocks.buffer;
  await rejection(bus.dispatch(go({ how: 'loop', after: 110, shared }, 0.1)).eventResult());
  const answers = [];
  for (let call = 0; call < 40; call += 1) answers.push(await bus.dispatch(go()).eventResult());
  await blocks.reached(1);
  for (let call = 0; call < 5; call += 1) answers.push(await bus.dispatch(go()).eventResult());
  expect(answers.at(-1)).toBeGreaterThan(thread as number);
  expect(new Set(answers).size).toBeLessThanOrEqual(2);
});

test('pool late - a call in front of which a thread is blocked has its own time, and is run once', async () => {
  const { bus } = poolBus();
  const counter = new Int32Array(new SharedArrayBuffer(4));
  await blocked(bus, 'loop');
  const calls = Array.from({ length: 5 }, async () => bus.dispatch(go({ shared: counter.buffer }, 5)).eventResult());
  expect(new Set(await Promise.all(calls)).size).toBe(1);
  expect(counter[0]).toBe(5);
});

test('pool late - what a call has moved is lost with the thread that did not take it: the call says so', async () => {
  const { bus } = poolBus();
  await blocked(bus, 'loop');
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
    const blocks = sharedCounter();
    const shared = blocks.buffer;
    const ended = [go({ how: 'loop', after: 120, shared }, 0.1), go({ how: 'wait', after: 120, shared }, 0.1)];
    await Promise.all(ended.map(async (event) => rejection(bus.dispatch(event).eventResult())));
    // Both may have been given to one thread, which then blocks once.
    await blocks.reached(1);
    const served = await Promise.all([go(), go(), go()].map(async (event) => bus.dispatch(event).eventResult()));
    expect(served.every((thread) => typeof thread === 'number')).toBe(true);
    expect(pool.stats().threads).toBeLessThanOrEqual(2);
  }
  const begun = performance.now();
  await pool.stop();
  expect(performance.now() - begun).toBeLessThan(3000);
});

/** Prints, so that its answer waits for that to arrive, and leaves behind what blocks its thread meanwhile. */
const printing = moduleOf(`
  let go;
  const later = async () => {
    // Behind the answer, and before anything is read: no message comes between microtasks.
    for (let steps = 0; steps < 100; steps += 1) await null;
    go();
  };
  export default async ({ what }) => {
    const block = () => { for (;;); };
    switch (what) {
      case 'block when another has returned':
        await new Promise((resolve) => { go = resolve; });
        return block();
      case 'print and let it block':
        process.stdout.write(' ');
        void later();
        return 'printed';
      case 'print and block':
        process.stdout.write(' ');
        setImmediate(block);
        return 'printed';
      default:
        return 'fine';
    }
  }`);

test.each([
  ['by its own handler', 'print and block', null],
  ['by one whose event had ended', 'print and let it block', null],
  ['by its own handler, whose time is not up', 'print and block', 60],
])(
  'pool late - an answer that can not leave, because its thread is blocked %s, is none',
  async (_how, what, timeout) => {
    const pool = new HandlerPool({ maxThreads: 1 });
    const bus = quietBus();
    onTestFinished(() => pool.stop());
    bus.on('Go', pool.handler(printing));
    if (what === 'print and let it block')
      await rejection(bus.dispatch(go({ what: 'block when another has returned' }, 0.1)).eventResult());
    const error = await rejection(bus.dispatch(go({ what }, timeout)).eventResult());
    expect([error.name, error.message]).toEqual([
      'WorkerCrashedError',
      expect.stringMatching(/didn't answer, blocked by a handler whose event had ended/),
    ]);
    expect(await bus.dispatch(go()).eventResult()).toBe('fine');
  },
);
