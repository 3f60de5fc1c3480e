import { BaseEvent, isHandlerTimeoutError, isUnserializableError } from '@threadbus/core';
import { HandlerPool, type HandlerPoolOptions } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { rejection } from '../../helpers/gate.ts';
import { moduleOf } from '../../helpers/module.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const task = moduleOf(`
  import { threadId } from 'node:worker_threads';
  export default async (event, { signal, bus }) => {
    globalThis.poolInlineSeen = event.list;
    if (event.what === 'wait') await new Promise((resolve) => signal.addEventListener('abort', resolve));
    if (event.what === 'function') return { f: () => 1 };
    if (event.what === 'child') return bus.dispatch(event.child).eventResult();
    return { threadId, list: event.list };
  }`);

test('pool inline - handlers run in this thread, with clones of what they get and of what they return', async () => {
  const pool = new HandlerPool({ inline: true, maxThreads: 2 });
  const bus = quietBus();
  onTestFinished(() => pool.stop());
  bus.on('Go', pool.handler(task));
  const go = (payload: object, event_timeout = 5): BaseEvent =>
    new BaseEvent(payload, { event_type: 'Go', event_timeout });
  await pool.ready();
  const list = [1, 2];
  const value = (await bus.dispatch(go({ list })).eventResult()) as { threadId: number; list: number[] };
  const { threadId } = await import('node:worker_threads');
  expect(value).toEqual({ threadId, list });
  const { poolInlineSeen: seen } = globalThis as unknown as { poolInlineSeen: number[] };
  expect([seen === list, value.list === seen]).toEqual([false, false]);
  expect(isHandlerTimeoutError(await rejection(bus.dispatch(go({ what: 'wait' }, 0.1)).eventResult()))).toBe(true);
  expect(isUnserializableError(await rejection(bus.dispatch(go({ what: 'function' })).eventResult()))).toBe(true);
  const many = Array.from({ length: 20 }, async (_, n) => bus.dispatch(go({ list: [n] })).eventResult());
  expect((await Promise.all(many)).map((each) => (each as { list: number[] }).list)).toEqual(
    Array.from({ length: 20 }, (_, n) => [n]),
  );
  expect(pool.stats()).toMatchObject({ threads: 2, running: 0, completed: 21, failed: 2, timedOut: 1 });
  await pool.stop();
  expect(pool.stats().threads).toBe(0);
});

test.each<[HandlerPoolOptions, RegExp]>([
  [{ inline: true, execArgv: [] }, /Expected no execArgv with inline: true/],
  [{ inline: true, resourceLimits: {} }, /Expected no resourceLimits with inline: true/],
  [{ inline: 'yes' as never }, /Expected inline to be true or false/],
  [{ minThreads: 3, maxThreads: 2 }, /Expected minThreads to be at most maxThreads, which is 2; got 3/],
  [{ preload: 'x' as never }, /Expected preload to be an array of URLs/],
  [{ preload: ['./x.js'] }, /Expected each of preload to be a file: URL/],
  [{ startTimeout: 0 }, /Expected startTimeout \(seconds\) to be above 0/],
  [{ maxQueue: -1 }, /Expected maxQueue to be a whole number/],
  [{ resourceLimits: { maxOldGenerationSizeMb: -1 } }, /Expected resourceLimits.maxOldGenerationSizeMb/],
  [{ env: 'x' as never }, /Expected env to be an object of texts/],
])('pool inline - the options %o are refused', (options, message) => {
  expect(() => new HandlerPool(options)).toThrow(message);
});
