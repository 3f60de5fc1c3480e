import { BaseEvent, isTimeoutError, isUnserializableError } from '@threadbus/core';
import { isQueueConfigError, isWorkerLostError, type NatsQueue } from '@threadbus/nats';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { gate, rejection } from '../../helpers/gate.ts';
import { logRecorder } from '../../helpers/log-recorder.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { hasServer } from '../helpers/nats-server.ts';
import { connected, newNamespace, sharedServer } from '../helpers/nets.ts';

const Job = BaseEvent.extend(
  'Job',
  { n: z.number(), key: z.string().default('a') },
  { result: z.number(), idempotent: true },
);
const Once = BaseEvent.extend('Once', { n: z.number() });

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

describe.skipIf(!hasServer)('queue', () => {
  const server = sharedServer();
  const net = async (namespace = newNamespace()) => connected({ servers: server().url, namespace });

  test('queue - an event is stored, run, and its results come back', async () => {
    const here = await net();
    const jobs = await here.queue('jobs', { events: [Job] });
    const receipt = await jobs.enqueue(new Job({ n: 2 }));
    expect(receipt).toMatchObject({ sequence: 1, duplicate: false });
    expect(await jobs.stats()).toEqual({ waiting: 1, running: 0, dead: 0 });
    const bus = quietBus({ name: 'Worker' });
    const seen: unknown[] = [];
    bus.on(Job, (event) => {
      seen.push(event.event_delivery);
      return event.n * 2;
    });
    await using crew = jobs.work(bus);
    crew.unref();
    const event = await receipt.completed({ timeout: 10 });
    expect(await event.eventResult()).toBe(4);
    expect(event).toBeInstanceOf(Job);
    expect([event.event_status, event.event_outcome, event.n]).toEqual(['completed', 'succeeded', 2]);
    expect(seen).toEqual([{ queue: 'jobs', count: 1, sequence: 1, key: null }]);
    expect(await (await jobs.completed(event.event_id, { timeout: 5 })).eventResult()).toBe(4);
  });

  test('queue - the same event is stored once, and its receipt is that of the first', async () => {
    const jobs = await (await net()).queue('jobs', { events: [Job] });
    const event = new Job({ n: 1 });
    const first = await jobs.enqueue(event);
    const second = await jobs.enqueue(event);
    expect([second.sequence, second.duplicate]).toEqual([first.sequence, true]);
    expect(isTimeoutError(await rejection(second.completed({ timeout: 0.05 })))).toBe(true);
  });

  test('queue - a failure is delivered again after its backoff, then a dead letter, then redriven', async () => {
    const jobs = await (await net()).queue('jobs', { events: [Job], maxDeliver: 3, backoff: [0.05] });
    const bus = quietBus({ name: 'Worker' });
    const counts: (number | undefined)[] = [];
    let isFixed = false;
    bus.on(Job, ({ event_delivery: delivery, n }) => {
      counts.push(delivery?.count);
      if (!isFixed) throw new RangeError(`no ${n}`);
      return n;
    });
    await using _crew = jobs.work(bus);
    const receipt = await jobs.enqueue(new Job({ n: 7 }));
    const failed = await receipt.completed({ timeout: 10 });
    expect(failed.event_outcome).toBe('failed');
    expect(counts).toEqual([1, 2, 3]);
    const [dead, ...others] = await collect(jobs.deadLetters());
    expect(others).toEqual([]);
    expect(dead?.error).toBeInstanceOf(RangeError);
    expect(dead).toMatchObject({ deliveries: 3, sequence: 1, event: { n: 7, event_id: failed.event_id } });
    isFixed = true;
    await dead?.redrive();
    const again = await jobs.completed(failed.event_id, { timeout: 10 });
    expect(await again.eventResult()).toBe(7);
    expect(counts).toEqual([1, 2, 3, 1]);
    expect(await collect(jobs.deadLetters())).toEqual([]);
    expect(await collect(jobs.replay())).toHaveLength(1);
  });

  test('queue - no handler is a failure, which a warning tells once', async () => {
    const jobs = await (await net()).queue('jobs', { events: [Once], maxDeliver: 1 });
    const logger = logRecorder();
    await using _crew = jobs.work(quietBus({ name: 'Worker', logger }));
    const event = await (await jobs.enqueue(new Once({ n: 1 }))).completed({ timeout: 10 });
    expect(event.event_outcome).toBe('failed');
    const [dead] = await collect(jobs.deadLetters());
    expect(dead?.error.message).toBe('Worker has no handler for Once.');
    await dead?.discard();
    expect((await jobs.stats()).dead).toBe(0);
    await (await jobs.enqueue(new Once({ n: 2 }))).completed({ timeout: 10 });
    expect(logger.warnings.filter((text) => text.includes('counts as a failure'))).toEqual([
      'jobs: Worker has no handler for Once, which counts as a failure. Register it before the work begins: bus.on(Once, handler).',
    ]);
  });

  test('queue - a closed net says so at once', async () => {
    const closed = await net();
    const jobs = await closed.queue('jobs', { events: [Job] });
    await closed.close();
    const { message } = await rejection(jobs.enqueue(new Job({ n: 1 }), { timeout: 600 }));
    expect(message).toContain('The queue jobs belongs to a net that is closed');
    expect(message).toContain('Enqueue the same event again on the queue of another net, await connectNats(…)');
  });

  test('queue - events of one key run one at a time and in order, those of others side by side', async () => {
    const namespace = newNamespace();
    const options = { events: [Job], key: ({ key }: { key: string }) => key, partitions: 4, backoff: [0.05] };
    const queues: NatsQueue<InstanceType<typeof Job>>[] = [];
    for (let i = 0; i < 3; i += 1) queues.push(await (await net(namespace)).queue('jobs', options));
    const bus = quietBus({ name: 'Worker', parallelHandlers: true });
    const ran: Record<string, number[]> = {};
    const running = new Set<string>();
    const beside: string[] = [];
    let failedOnce = false;
    bus.on(Job, async ({ n, key }) => {
      // Thrown here it would be tried again, and forgotten.
      if (running.has(key)) beside.push(key);
      running.add(key);
      await new Promise((resolve) => void setImmediate(resolve));
      running.delete(key);
      if (n === 5 && key === 'b' && !failedOnce) {
        failedOnce = true;
        throw new Error('once');
      }
      (ran[key] ??= []).push(n);
      return n;
    });
    const [first] = queues as [NatsQueue<InstanceType<typeof Job>>];
    const keys = ['a', 'b', 'c', 'd', 'e'];
    const numbers = Array.from({ length: 20 }, (_, n) => n);
    const receipts = await Promise.all(numbers.flatMap((n) => keys.map((key) => first.enqueue(new Job({ n, key })))));
    const crews = queues.map((queue) => queue.work(bus, { concurrency: 2 }));
    await Promise.all(receipts.map((receipt) => receipt.completed({ timeout: 15 })));
    await Promise.all(crews.map((crew) => crew.close()));
    expect(beside).toEqual([]);
    for (const key of keys) expect(ran[key]).toEqual(numbers);
  });

  test('queue - settings that are fixed, classes that may not run twice, and wrong events are refused', async () => {
    const here = await net();
    await here.queue('jobs', { events: [Job], key: ({ key }) => key, partitions: 4 });
    const other = await rejection(here.queue('jobs', { events: [Job], key: ({ key }) => key, partitions: 8 }));
    expect(isQueueConfigError(other)).toBe(true);
    expect(other.message).toContain('partitions 4, and is asked for with 8');
    expect((await rejection(here.queue('jobs', { events: [Job] }))).message).toContain(
      'The queue jobs was made with a key, and is asked for without a key.',
    );
    expect((await rejection(here.queue('more', { events: [Once] }))).message).toMatch(
      /Once.*idempotent.*maxDeliver: 1/,
    );
    const jobs = await here.queue('once', { events: [Once], maxDeliver: 1 });
    expect((await rejection(jobs.enqueue(new Job({ n: 1 }) as never))).message).toContain(
      'takes events of Once; got an event Job',
    );
    const keyed = await here.queue('keyed', { events: [Job], key: () => '' });
    expect((await rejection(keyed.enqueue(new Job({ n: 1 })))).message).toContain("a text that isn't empty");
    const big = await rejection(jobs.enqueue(new Once({ n: 1, more: 'x'.repeat(2 << 20) } as never)));
    expect(isUnserializableError(big)).toBe(true);
    expect(big.message).toMatch(/too large: 20\d+ bytes/);
  });

  test('queue - close waits for what runs, and gives back what does not end in time', async () => {
    const jobs = await (await net()).queue('jobs', { events: [Job], backoff: [] });
    const [started, release] = [gate(), gate()];
    const first = quietBus({ name: 'First' });
    first.on(Job, async () => {
      started.open();
      await release.opened;
      return 1;
    });
    const crew = jobs.work(first);
    const receipt = await jobs.enqueue(new Job({ n: 1 }));
    await started.opened;
    await crew.close({ timeout: 0.05 });
    expect(await crew.failed).toBeNull();
    const second = quietBus({ name: 'Second' });
    second.on(Job, ({ event_delivery: delivery }) => delivery?.count ?? 0);
    await using _crew = jobs.work(second);
    expect(await (await receipt.completed({ timeout: 5 })).eventResult()).toBe(2);
    release.open();
  });

  test('queue - an event whose worker was lost at its last delivery is a dead letter', async () => {
    const jobs = await (await net()).queue('jobs', { events: [Once], maxDeliver: 1, ackWait: 0.3 });
    const stuck = quietBus({ name: 'Stuck' });
    const [started, release] = [gate(), gate()];
    stuck.on(Once, async () => {
      started.open();
      await release.opened;
    });
    const crew = jobs.work(stuck);
    const receipt = await jobs.enqueue(new Once({ n: 1 }));
    await started.opened;
    await crew.close({ timeout: 0 });
    await using _crew = jobs.work(quietBus({ name: 'Next' }));
    expect((await receipt.completed({ timeout: 5 })).event_outcome).toBe('failed');
    const [dead] = await collect(jobs.deadLetters());
    expect(isWorkerLostError(dead?.error)).toBe(true);
    release.open();
  });

  test('replay - gives what was stored, from a sequence or a time on, and follows', async () => {
    const jobs = await (await net()).queue('jobs', { events: [Job] });
    for (let n = 0; n < 5; n += 1) await jobs.enqueue(new Job({ n }));
    const all = await collect(jobs.replay());
    expect(all.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4]);
    expect((await collect(jobs.replay({ since: { sequence: 4 } }))).map(({ n }) => n)).toEqual([3, 4]);
    const later = new Date(Date.now() + 60_000);
    expect(await collect(jobs.replay({ since: later }))).toEqual([]);
    const fresh = await collect(jobs.replay({ since: new Date(0), reset: true }));
    expect(fresh.map(({ event_id: id }) => id)).not.toContain(all[0]?.event_id);
    const ending = new AbortController();
    const followed: number[] = [];
    for await (const { n } of jobs.replay({ since: { sequence: 5 }, follow: true, signal: ending.signal })) {
      followed.push(n);
      if (n === 4) await jobs.enqueue(new Job({ n: 5 }));
      else ending.abort();
    }
    expect(followed).toEqual([4, 5]);
  });

  test('queue - what a handler enqueues is a child of its event, and nobody waits for it', async () => {
    const jobs = await (await net()).queue('jobs', { events: [Job] });
    const bus = quietBus({ name: 'Main' });
    bus.on(Once, async () => {
      await jobs.enqueue(new Job({ n: 1 }));
    });
    const parent = await bus.dispatch(new Once({ n: 1 }));
    expect((await collect(jobs.replay())).map(({ event_parent_id: id }) => id)).toEqual([parent.event_id]);
  });

  test('queue - a crew whose queue is deleted says so', async () => {
    const jobs = await (await net()).queue('jobs', { events: [Job] });
    const crew = jobs.work(quietBus({ name: 'Worker' }));
    await jobs.delete();
    expect((await crew.failed)?.message).toBe('The queue jobs was deleted.');
  });
});
