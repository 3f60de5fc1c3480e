import { endOf, EVENT } from '../../../packages/link/dist/wire/protocol.js';
import { BaseEvent } from '@threadbus/core';
import { linkBuses, WorkerBus } from '@threadbus/worker';
import { MessageChannel, Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { Down, Echo, Note, Noted, Up } from '../../fixtures/worker/conformance-events.ts';
import { Pass } from '../../fixtures/worker/ring-events.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { FarEnd } from '../../link/far-end.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { runProgram } from '../../helpers/run-program.ts';

const Outer = BaseEvent.extend('Outer', {});

async function subject(name: string): Promise<{ bus: WorkerBus; home: ReturnType<typeof quietBus> }> {
  const home = quietBus({ name, maxPending: null });
  const bus = await WorkerBus.start(fixtureUrl('worker/conformance-bus'), { parent: home });
  onTestFinished(() => bus.stop());
  return { bus, home };
}

test('thread - handlers of two threads await each other to a depth of 100', async () => {
  const { bus, home } = await subject('PingPong');
  home.on(Up, async ({ left }) => {
    if (left === 0) return 0;
    return 1 + ((await bus.dispatch(new Down({ left: left - 1 })).eventResult()) as number);
  });
  // Each bus has its own limit of 50 nested handlers of one kind, and each handles every second event.
  expect(await bus.dispatch(new Down({ left: 99 })).eventResult()).toBe(99);
});

test('thread - four threads in a ring whose handlers await each other', async () => {
  const home = quietBus({ name: 'RingHome' });
  const names = ['RingA', 'RingB', 'RingC', 'RingD'];
  const channels = names.map(() => new MessageChannel());
  const ring = names.map((name, i) => {
    const { port1, port2 } = new MessageChannel();
    const before = (channels[(i + 3) % 4] as MessageChannel).port2;
    const behind = (channels[i] as MessageChannel).port1;
    const worker = new Worker(fixtureUrl('worker/ring-bus'), {
      workerData: { name, home: port2, before, behind },
      transferList: [port2, before, behind],
    });
    onTestFinished(async () => void (await worker.terminate()));
    return linkBuses(home, port1);
  });
  const buses = await Promise.all(ring);
  expect(buses.map(({ name }) => name)).toEqual(names);
  const starts = buses.flatMap((bus) =>
    [4, 11, 40].map(async (left) => bus.dispatch(new Pass({ left })).eventResult()),
  );
  expect(await Promise.all(starts)).toEqual([4, 11, 40, 4, 11, 40, 4, 11, 40, 4, 11, 40]);
});

test('thread - a handler awaits events of two threads together', async () => {
  const home = quietBus({ name: 'Two', maxPending: null });
  const buses = await Promise.all(
    [1, 2].map(async () => WorkerBus.start(fixtureUrl('worker/conformance-bus'), { parent: home })),
  );
  onTestFinished(async () => void (await Promise.all(buses.map(async (bus) => bus.stop()))));
  expect(buses.map(({ name }) => name).sort()).toEqual(['Subject', 'Subject_2']);
  home.on(Outer, async () =>
    Promise.all(buses.map(async (bus, value) => bus.dispatch(new Echo({ value })).eventResult())),
  );
  expect(await home.dispatch(new Outer({})).eventResult()).toEqual([0, 1]);
});

test('thread - what is asked of a bus is answered behind the events that were sent before', async () => {
  const { bus } = await subject('Control');
  for (let round = 0; round < 20; round += 1) {
    const key = `control ${round}`;
    const sent = Array.from({ length: 100 }, (_, value) => bus.dispatch(new Note({ key, value })));
    expect(await bus.waitUntilIdle()).toBe(true);
    expect(sent.map(({ event }) => event.event_status)).toEqual(Array(100).fill('completed'));
    expect(await bus.logTree()).toContain(`Note#${(sent[99]?.event.event_id ?? '').slice(-4)}`);
    expect(await bus.dispatch(new Noted({ key })).eventResult()).toHaveLength(100);
  }
});

test('thread - events cross in frames of at most 32', async () => {
  const { port1, port2 } = new MessageChannel();
  onTestFinished(() => port1.close());
  const down = linkBuses(quietBus({ name: 'Frames' }), port1, { maxInFlight: 1000 });
  const sizes: number[] = [];
  port2.on('message', (frame: unknown[]) => {
    let events = 0;
    for (let at = 0; at < frame.length - 1; at = endOf(frame, at)) if (frame[at] === EVENT) events += 1;
    sizes.push(events);
  });
  new FarEnd(port2).greet('Reader');
  await down;
  for (let value = 0; value < 200; value += 1) down.dispatch(new Echo({ value }));
  while (sizes.reduce((sum, size) => sum + size, 0) < 200) await new Promise((resolve) => void setImmediate(resolve));
  expect(Math.max(...sizes)).toBeLessThanOrEqual(32);
  expect(sizes.filter((size) => size > 0).length).toBeLessThanOrEqual(8);
});

// 1 KB each: without limits 20,000 of them, waiting, take some 60 MB and grow with their number.
for (const manner of ['polite', 'rude']) {
  test(`thread - a slow thread and a fast, ${manner} producer: memory stays below 150 MB`, async () => {
    const end = await runProgram('worker/flood', ['20000', manner]);
    expect(end.stderr).toBe('');
    const { arrived, refused, megabytes } = JSON.parse(end.stdout) as Record<string, unknown>;
    expect(arrived).toEqual({ count: 20_000, wrong: 0 });
    expect(megabytes).toBeLessThan(150);
    expect((refused as number) > 0).toBe(manner === 'rude');
  });
}
