import { EventEmitter, once } from 'node:events';
import { threadId } from 'node:worker_threads';
import { BaseEvent, type EventBus } from '@threadbus/core';
import { HandlerPool, observeThreads, type ThreadEnd, type ThreadStart } from '@threadbus/worker';
import { loadInThreads } from '@threadbus/worker/internal';
import { expect, onTestFinished, test } from 'vitest';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { sharedCounter } from '../../helpers/shared-counter.ts';
import { startBus } from '../../helpers/worker-bus.ts';

function poolBus(options: ConstructorParameters<typeof HandlerPool>[0] = {}): { pool: HandlerPool; bus: EventBus } {
  const pool = new HandlerPool({ maxThreads: 1, ...options });
  onTestFinished(() => pool.stop());
  const bus = quietBus();
  bus.on('Havoc', pool.handler(fixtureUrl('worker/havoc-task')));
  bus.on('Step', pool.handler(fixtureUrl('worker/pool-tasks')));
  return { pool, bus };
}

function watch(): { started: ThreadStart[]; ended: ThreadEnd[]; news: EventEmitter } {
  const seen = { started: [] as ThreadStart[], ended: [] as ThreadEnd[], news: new EventEmitter() };
  const stop = observeThreads({
    started: (thread) => void seen.started.push(thread),
    ended: (thread) => {
      seen.ended.push(thread);
      seen.news.emit(thread.reason);
    },
  });
  onTestFinished(() => stop());
  return seen;
}

function event(type: 'Havoc' | 'Step', what: string, more: object = {}, event_timeout?: number): BaseEvent {
  return new BaseEvent({ what, ...more }, { event_type: type, ...(event_timeout !== undefined && { event_timeout }) });
}

test('pool observers - a thread of a pool is told of as one of a bus is: started, crashed, blocked, stopped', async () => {
  const { started, ended } = watch();
  const { pool, bus } = poolBus();
  const thread = await bus.dispatch(event('Step', 'thread')).eventResult();
  expect(started).toEqual([{ owner: 'HandlerPool', name: 'HandlerPool', threadId: thread, pid: process.pid }]);
  await bus.dispatch(event('Havoc', 'process.exit'));
  await bus.dispatch(event('Havoc', 'loop', {}, 0.2));
  await bus.dispatch(event('Step', 'thread'));
  await pool.stop();
  expect(started).toHaveLength(3);
  expect(ended.map(({ reason, lost, again }) => [reason, lost, again])).toEqual([
    ['crashed', 1, true],
    ['blocked', 1, true],
    ['stopped', 0, false],
  ]);
  expect(ended.map((end) => end.threadId)).toEqual(started.map((start) => start.threadId));
});

test('pool observers - one that has nothing to do ends idle; one that cannot start is an end without a beginning', async () => {
  const { started, ended, news } = watch();
  const { bus } = poolBus({ idleTimeout: 0.05 });
  const idle = once(news, 'idle');
  await bus.dispatch(event('Step', 'thread'));
  await idle;
  expect(ended).toMatchObject([{ owner: 'HandlerPool', reason: 'idle', lost: 0, again: false }]);
  const crashed = once(news, 'crashed');
  const { pool } = poolBus({ execArgv: ['--import', 'data:text/javascript,throw new Error("no")'] });
  await pool.ready().catch(() => undefined);
  await crashed;
  expect(started).toHaveLength(1);
  expect(ended.at(-1)).toEqual({
    owner: 'HandlerPool',
    name: 'HandlerPool',
    threadId: -1,
    pid: -1,
    reason: 'crashed',
    lost: 0,
    again: false,
  });
});

test('guests - are loaded into threads that are up and those to come, of buses and pools, until they are dismissed', async () => {
  const counter = sharedCounter();
  const { bus } = poolBus();
  await bus.dispatch(event('Step', 'thread'));
  const before = await startBus('havoc-bus');
  const code = `
    export default (shared) => {
      const view = new Int32Array(shared);
      Atomics.add(view, 0, 1);
      Atomics.notify(view, 0);
    };`;
  const guest = { url: `data:text/javascript,${encodeURIComponent(code)}`, data: counter.buffer };
  const dismiss = loadInThreads(guest);
  await counter.reached(2);
  const after = await startBus('havoc-bus');
  await counter.reached(3);
  dismiss();
  const last = await startBus('havoc-bus');
  expect(last.threadId).toBeGreaterThan(threadId);
  await Promise.all([before.stop(), after.stop(), last.stop()]);
  expect(new Int32Array(counter.buffer)[0]).toBe(3);
});
