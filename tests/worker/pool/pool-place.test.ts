import { pid } from 'node:process';
import { threadId } from 'node:worker_threads';
import { type BaseEvent, type EventBus, type EventResult } from '@threadbus/core';
import { HandlerPool, type HandlerPoolOptions } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { Havoc, Step } from '../../fixtures/worker/events.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

function poolBus(options: HandlerPoolOptions = {}): EventBus {
  const pool = new HandlerPool({ maxThreads: 1, ...options });
  onTestFinished(() => pool.stop());
  const bus = quietBus();
  bus.on(Havoc, pool.handler(fixtureUrl('worker/havoc-task')));
  bus.on(Step, pool.handler(fixtureUrl('worker/pool-tasks')));
  return bus;
}

type Shown = Pick<EventResult, 'status' | 'result' | 'thread_id' | 'pid' | 'started_at'>;

async function resultOf(bus: EventBus, event: BaseEvent): Promise<Shown> {
  return shown(await bus.dispatch(event));
}

/** A result by itself would be awaited for its value. */
function shown({ event_results }: BaseEvent): Shown {
  const [{ status, result, thread_id, pid: process, started_at }] = [...event_results.values()] as [EventResult];
  return { status, result, thread_id, pid: process, started_at };
}

test('pool - a result says in which thread its handler ran, whatever came of it', async () => {
  const bus = poolBus();
  const first = await resultOf(bus, new Step({ what: 'thread' }));
  expect(first.result).not.toBe(threadId);
  const there = { thread_id: first.result, pid };
  expect(first).toMatchObject({ status: 'completed', ...there });
  expect(await resultOf(bus, new Step({ what: 'throw' }))).toMatchObject({ status: 'error', ...there });
  const late = await resultOf(bus, new Step({ what: 'until aborted' }, { event_timeout: 0.05 }));
  expect(late).toMatchObject({ status: 'error', ...there });
  const crashed = await resultOf(bus, new Havoc({ what: 'process.exit' }));
  expect(crashed).toMatchObject({ status: 'error', ...there });
  expect(crashed.started_at).not.toBe(null);
  const next = await resultOf(bus, new Step({ what: 'thread' }));
  expect(next.thread_id).toBe(next.result);
  expect(next.thread_id).not.toBe(first.thread_id);
});

test('pool - a call that no thread has taken ran nowhere', async () => {
  const bus = poolBus();
  const unsendable = new Step({ what: 'thread' });
  Object.assign(unsendable, { callback: () => undefined });
  const nowhere = { status: 'error', thread_id: null, pid: null };
  expect(await resultOf(bus, unsendable)).toMatchObject(nowhere);
  const controller = new AbortController();
  const held = bus.dispatch(new Step({ what: 'until aborted' }), { signal: controller.signal });
  const waiting = bus.dispatch(new Step({ what: 'thread' }), { signal: controller.signal });
  controller.abort(new Error('not any more'));
  await held;
  expect(shown(await waiting)).toMatchObject(nowhere);
});

test('pool - with inline the handler ran here', async () => {
  const bus = poolBus({ inline: true });
  expect(await resultOf(bus, new Step({ what: 'thread' }))).toMatchObject({
    result: threadId,
    thread_id: threadId,
    pid,
  });
});
