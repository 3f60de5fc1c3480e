import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { observeThreads, type ThreadEnd, type ThreadStart, WorkerBus } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { Double, Havoc } from '../../fixtures/worker/events.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { isolation } from '../../helpers/isolation.ts';
import { thrown } from '../../helpers/thrown.ts';
import { startBus } from '../../helpers/worker-bus.ts';

function watch(): { started: ThreadStart[]; ended: ThreadEnd[] } {
  const seen = { started: [] as ThreadStart[], ended: [] as ThreadEnd[] };
  const stop = observeThreads({
    started: (thread) => void seen.started.push(thread),
    ended: (thread) => void seen.ended.push(thread),
  });
  onTestFinished(() => stop());
  return seen;
}

test('thread observers - hear of a start, of each way to end, and whether another takes its place', async () => {
  const { started, ended } = watch();
  const bus = await startBus('havoc-bus', { unresponsiveTimeout: 2 });
  const { threadId, pid } = bus;
  await bus.dispatch(new Havoc({ what: 'process.exit' }));
  await bus.dispatch(new Havoc({ what: 'loop' }, { event_timeout: 0.2 }));
  await bus.dispatch(new Havoc({ what: 'loop' }, { event_timeout: null }));
  await bus.dispatch(new Double({ n: 1 }));
  await bus.stop();
  expect(started).toHaveLength(4);
  expect(started[0]).toEqual({ owner: 'WorkerBus', name: 'Havoc', threadId, pid });
  expect(ended.map(({ reason, lost, again }) => [reason, lost, again])).toEqual([
    ['crashed', 1, true],
    ['blocked', 1, true],
    ['unresponsive', 1, true],
    ['stopped', 0, false],
  ]);
  expect(ended.map((end) => [end.threadId, end.pid])).toEqual(started.map((start) => [start.threadId, start.pid]));
});

test('thread observers - a start that fails is an end without a beginning', async () => {
  const { started, ended } = watch();
  const where = isolation();
  await WorkerBus.start(fixtureUrl('worker/no-bus'), { isolation: where }).catch(() => undefined);
  expect(started).toEqual([]);
  expect(ended).toMatchObject([{ owner: 'WorkerBus', reason: 'crashed', lost: 0, again: false }]);
});

test('thread observers - the channel tells the same; one that throws disturbs nobody; one that has ended hears nothing', async () => {
  const published: unknown[] = [];
  const listen = (message: unknown): void => void published.push(message);
  subscribe('threadbus:thread', listen);
  onTestFinished(() => {
    unsubscribe('threadbus:thread', listen);
  });
  const throwing = observeThreads({
    started: () => {
      throw new Error('an observer fails');
    },
  });
  const over: unknown[] = [];
  observeThreads({ started: (thread) => void over.push(thread) })();
  const { started, ended } = watch();
  const bus = await startBus('havoc-bus');
  throwing();
  await bus.stop();
  expect(published).toEqual([...started, ...ended]);
  expect(over).toEqual([]);
});

test('thread observers - what is no observer is refused', () => {
  expect(thrown(() => observeThreads({ start: () => undefined } as never)).message).toContain("no option 'start'");
  expect(thrown(() => observeThreads({ ended: 1 } as never)).message).toContain('Expected ended of observeThreads');
});

test('thread observers - what one throws, at once or later, goes no further', async () => {
  const now = (): never => {
    throw new Error('at once');
  };
  const later = (): void => Promise.reject(new Error('later')) as never;
  for (const each of [now, later]) onTestFinished(observeThreads({ started: each, ended: each }));
  const { started, ended } = watch();
  await (await startBus('havoc-bus')).stop();
  expect([started.length, ended.length]).toEqual([1, 1]);
});
