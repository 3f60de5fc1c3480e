import { expect, test } from 'vitest';
import type { BaseEvent } from '@threadbus/core';
import { WorkerBusGroup, type WorkerBus } from '@threadbus/worker';
import { Double, Havoc, Step } from '../../fixtures/worker/events.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { sharedCounter } from '../../helpers/shared-counter.ts';
import { startBus, quietParent } from '../../helpers/worker-bus.ts';

async function outcome(bus: WorkerBus, event: BaseEvent): Promise<string> {
  try {
    await bus.dispatch(event).eventResult();
    return 'done';
  } catch (error) {
    return (error as Error).name;
  }
}

test(
  'restart - handlers that block past their time never take the bus out of service',
  { timeout: 60_000 },
  async () => {
    const bus = await startBus('havoc-bus');
    const seen: string[] = [];
    for (let i = 0; i < 7; i += 1) seen.push(await outcome(bus, new Havoc({ what: 'loop' }, { event_timeout: 0.1 })));
    expect(seen).toEqual(Array.from({ length: 7 }, () => 'HandlerTimeoutError'));
    expect(bus.failure).toBe(null);
    expect(await bus.dispatch(new Double({ n: 2 })).eventResult()).toBe(4);
  },
);

test('restart - nor do handlers that block after they were cancelled', { timeout: 60_000 }, async () => {
  const begun = sharedCounter();
  const bus = await startBus('havoc-bus', { workerData: { begun: begun.buffer } });
  for (let i = 0; i < 7; i += 1) {
    const end = new AbortController();
    const pending = bus.dispatch(new Step({ what: 'loop' }), { signal: end.signal });
    await begun.reached(i + 1);
    end.abort(new Error('gone'));
    const errors = [...(await pending).event_results.values()].map(({ error }) => (error as Error | null)?.name);
    expect(errors).toEqual([expect.stringMatching(/^Handler(Aborted|Cancelled)Error$/)]);
  }
  expect(bus.failure).toBe(null);
});

test(
  'restart - crashes after useful work never take it out of service, though each is one',
  { timeout: 60_000 },
  async () => {
    const bus = await startBus('havoc-bus');
    for (let i = 0; i < 8; i += 1) {
      expect(await outcome(bus, new Double({ n: i }))).toBe('done');
      expect(await outcome(bus, new Havoc({ what: 'process.exit' }))).toBe('WorkerCrashedError');
    }
    expect(bus.failure).toBe(null);
    expect(bus.stats()).toMatchObject({ completed: 8, failed: 8, restarts: 8, inFlight: 0, waiting: 0 });
  },
);

test('restart - a limit of its own is kept, and named when it is passed', async () => {
  const bus = await startBus('havoc-bus', { restart: { limit: 1, within: 60 } });
  expect(await outcome(bus, new Havoc({ what: 'process.exit' }))).toBe('WorkerCrashedError');
  expect(await outcome(bus, new Havoc({ what: 'process.exit' }))).toBe('WorkerCrashedError');
  expect(bus.failure?.message).toMatch(/because it was restarted 1 times within 60 s/);
});

test('stats - what is under way is told apart from what waits, and times are those of what came back', async () => {
  const bus = await startBus('havoc-bus', { maxInFlight: 2 });
  expect(bus.stats()).toEqual({ inFlight: 0, waiting: 0, completed: 0, failed: 0, restarts: 0, roundTrip: null });
  const all = Array.from({ length: 5 }, (_, n) => bus.dispatch(new Double({ n })));
  expect(bus.stats()).toMatchObject({ inFlight: 2, waiting: 3 });
  await Promise.all(all);
  const { roundTrip, ...counts } = bus.stats();
  expect(counts).toEqual({ inFlight: 0, waiting: 0, completed: 5, failed: 0, restarts: 0 });
  expect(roundTrip?.max).toBeGreaterThan(0);
  expect(roundTrip?.max).toBeLessThan(20);
  expect(roundTrip?.p50).toBeLessThanOrEqual(roundTrip?.p99 ?? 0);
});

test('stats - of a group are the sums, and each member has its own', async () => {
  const group = await WorkerBusGroup.start(fixtureUrl('worker/havoc-bus'), { size: 2, parent: quietParent() });
  await Promise.all(Array.from({ length: 6 }, (_, n) => group.dispatch(new Double({ n }))));
  await group.dispatch(new Havoc({ what: 'process.exit' }));
  const { members, roundTrip, ...sums } = group.stats();
  expect(sums).toEqual({ inFlight: 0, waiting: 0, completed: 6, failed: 1, restarts: 1 });
  expect(members.map(({ completed }) => completed)).toEqual([3, 3]);
  expect(roundTrip?.max).toBe(Math.max(...members.map((member) => member.roundTrip?.max ?? 0)));
  await group.stop();
});
