import { BaseEvent, isEventValidationError } from '@threadbus/core';
import { connect } from '@nats-io/transport-node';
import { isQueueUnavailableError } from '@threadbus/nats';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { rejection } from '../../helpers/gate.ts';
import { logRecorder } from '../../helpers/log-recorder.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { hasServer } from '../helpers/nats-server.ts';
import { connected, newNamespace, sharedServer } from '../helpers/nets.ts';
import { Broker } from '../../../packages/nats/dist/broker/broker.js';
import { JetStream } from '../../../packages/nats/dist/jetstream/jetstream.js';
import { resolveQueueOptions } from '../../../packages/nats/dist/queue/queue-options.js';
import { QueueStore } from '../../../packages/nats/dist/queue/queue-store.js';

const Job = BaseEvent.extend(
  'Job',
  { n: z.number(), key: z.string().default('a'), fill: z.string().default('') },
  { result: z.number(), idempotent: true },
);

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

const pause = (seconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, seconds * 1000));

describe.skipIf(!hasServer)('queue keeping', () => {
  const server = sharedServer();
  const net = async (namespace = newNamespace()) => connected({ servers: server().url, namespace });

  /** What is stored there by somebody else than this version of the program. */
  async function raw() {
    const connection = await connect({ servers: server().url });
    onTestFinished(() => connection.close());
    return connection;
  }

  test('queue - a type that no worker knows is warned of, comes again, and is a dead letter only after ackWait × maxDeliver', async () => {
    const namespace = newNamespace();
    const jobs = await (await net(namespace)).queue('jobs', { events: [Job], ackWait: 0.4, maxDeliver: 3 });
    const logger = logRecorder();
    const bus = quietBus({ name: 'Worker', logger });
    bus.on(Job, ({ n }) => n);
    const stored = JSON.stringify({ ...new Job({ n: 1 }).toJSON(), event_type: 'Newer', event_schema: 'Newer@1.0.0' });
    const from = performance.now();
    await (await raw()).request(`threadbus.${namespace}.queue.jobs.events.0`, stored);
    const known = await jobs.enqueue(new Job({ n: 2 }));
    await using _crew = jobs.work(bus, { concurrency: 2 });
    expect(await (await known.completed({ timeout: 5 })).eventResult()).toBe(2);
    await expect.poll(async () => (await jobs.stats()).dead, { timeout: 10_000, interval: 20 }).toBe(1);
    // The store's clock is the machine's.
    expect(performance.now() - from).toBeGreaterThan(1100);
    const [dead] = await collect(jobs.deadLetters());
    expect(dead?.error).toBeInstanceOf(TypeError);
    expect(dead?.error.message).toBe("No worker knows Newer: add its class to the queue's events.");
    expect(logger.warnings[0]).toBe('jobs: Newer is none of the events that this worker knows; it goes to others.');
    // It is acknowledged when its end is stored, after that.
    await expect.poll(async () => (await jobs.stats()).running, { timeout: 5000 }).toBe(0);
  });

  test.each([
    ['a payload that its class does not take', JSON.stringify({ ...new Job({ n: 1 }).toJSON(), n: 'one' }), 'n'],
    ['what is no event at all', 'no JSON', 'JSON'],
  ])('queue - %s is a dead letter at once, and those behind it run', async (_what, stored, text) => {
    const namespace = newNamespace();
    const options = { events: [Job], key: ({ key }: { key: string }) => key, partitions: 1 };
    const jobs = await (await net(namespace)).queue('jobs', options);
    const bus = quietBus({ name: 'Worker' });
    bus.on(Job, ({ n }) => n);
    await (await raw()).request(`threadbus.${namespace}.queue.jobs.events.0`, stored);
    const behind = await jobs.enqueue(new Job({ n: 2 }));
    await using _crew = jobs.work(bus);
    expect(await (await behind.completed({ timeout: 5 })).eventResult()).toBe(2);
    const [dead, ...more] = await collect(jobs.deadLetters());
    expect(more).toEqual([]);
    expect(dead?.deliveries).toBe(1);
    expect(dead?.error.message).toContain(text);
  });

  test('queue - keep drops what is done and old, and never what waits', async () => {
    const namespace = newNamespace();
    const options = { events: [Job], key: ({ key }: { key: string }) => key, partitions: 4, keep: 0.3 };
    const jobs = await (await net(namespace)).queue('jobs', options);
    const connection = await raw();
    const store = new QueueStore(
      new JetStream(new Broker(connection, false)),
      namespace,
      'jobs',
      resolveQueueOptions(options),
    );
    const left = async (): Promise<number[]> => (await collect(jobs.replay())).map(({ n }) => n);
    const bus = quietBus({ name: 'Worker' });
    bus.on(Job, ({ n }) => n);
    const run = async (): Promise<void> => {
      const crew = jobs.work(bus, { concurrency: 4 });
      await expect.poll(async () => (await jobs.stats()).waiting, { timeout: 5000, interval: 20 }).toBe(0);
      await crew.close();
    };
    for (const n of [0, 1, 2]) await jobs.enqueue(new Job({ n, key: `k${n}` }));
    await run();
    await store.sweep(60);
    expect(await left()).toEqual([0, 1, 2]);
    for (const n of [3, 4, 5]) await jobs.enqueue(new Job({ n, key: `k${n}` }));
    await pause(0.4);
    await store.sweep();
    expect(await left()).toEqual([3, 4, 5]);
    expect(await jobs.stats()).toEqual({ waiting: 3, running: 0, dead: 0 });
    await run();
    await jobs.enqueue(new Job({ n: 6 }));
    await store.sweep();
    // Old enough or not, they were done: the newest waits and is kept.
    expect((await left()).at(-1)).toBe(6);
    await run();
    await pause(0.4);
    await store.sweep();
    expect(await left()).toEqual([]);
  });

  test('queue - over maxBytes nothing that waits is dropped: enqueue is refused until something is done', async () => {
    const jobs = await (await net()).queue('jobs', { events: [Job], maxBytes: 40_000 });
    const fill = 'x'.repeat(4000);
    const receipts = [];
    let refused: unknown = null;
    for (let n = 0; n < 30 && refused === null; n += 1) {
      try {
        receipts.push(await jobs.enqueue(new Job({ n, fill }), { timeout: 0.5 }));
      } catch (error) {
        refused = error;
      }
    }
    expect(isQueueUnavailableError(refused)).toBe(true);
    expect((refused as Error).cause).toMatchObject({ message: 'maximum bytes exceeded' });
    expect(receipts.length).toBeGreaterThan(4);
    expect((await jobs.stats()).waiting).toBe(receipts.length);
    const bus = quietBus({ name: 'Worker' });
    bus.on(Job, ({ n }) => n);
    await using _crew = jobs.work(bus);
    // Waits until there is room: what is done makes way although it isn't old.
    const later = await jobs.enqueue(new Job({ n: 99, fill }), { timeout: 10 });
    const events = await Promise.all([...receipts, later].map((receipt) => receipt.completed({ timeout: 10 })));
    expect(await Promise.all(events.map((event) => event.eventResult()))).toEqual([...receipts.map((_, n) => n), 99]);
    const big = await rejection(jobs.enqueue(new Job({ n: 1, fill: 'x'.repeat(41_000) }), { timeout: 0.3 }));
    expect(isQueueUnavailableError(big)).toBe(true);
  });

  test('replay - says under which sequence it found what is no event, and how to go on behind it', async () => {
    const namespace = newNamespace();
    const jobs = await (await net(namespace)).queue('jobs', { events: [Job] });
    await jobs.enqueue(new Job({ n: 1 }));
    for (const odd of ['no json', '7', '{"event_type":"Job","n":"text"}']) {
      await (await raw()).request(`threadbus.${namespace}.queue.jobs.events.0`, odd);
    }
    await jobs.enqueue(new Job({ n: 5 }));
    const read: number[] = [];
    const errors: Error[] = [];
    for (let from = 1; from < 6;) {
      try {
        for await (const { n } of jobs.replay({ since: { sequence: from } })) read.push(n);
        break;
      } catch (error) {
        errors.push(error as Error);
        from = Number(/sequence: (\d+)/.exec((error as Error).message)?.[1]);
      }
    }
    expect(read).toEqual([1, 5]);
    expect(errors.map(isEventValidationError)).toEqual([true, true, true]);
    expect(errors.map(({ message }) => message.split(' ').slice(0, 9).join(' '))).toEqual(
      [2, 3, 4].map((sequence) => `What the queue jobs has stored under sequence ${sequence}`),
    );
  });

  test('dead letters - one that was put there is known again when the event comes again, however long that takes', async () => {
    const namespace = newNamespace();
    await (await net(namespace)).queue('jobs', { events: [Job], ackWait: 400_000 });
    const { data } = await (await raw()).request(`$JS.API.STREAM.INFO.${namespace}_jobs_dead`);
    const { config } = JSON.parse(Buffer.from(data).toString()) as { config: { duplicate_window: number } };
    expect(config.duplicate_window / 1e9).toBe(800_000);
  });

  test('queue - the count of its starts is kept as long as an event may come again, and no longer', async () => {
    const namespace = newNamespace();
    const jobs = await (await net(namespace)).queue('jobs', { events: [Job], backoff: [60], maxDeliver: 2 });
    const connection = await raw();
    const counts = async (): Promise<number> => {
      const { data } = await connection.request(`$JS.API.STREAM.INFO.${namespace}_jobs_tries`);
      return (JSON.parse(Buffer.from(data).toString()) as { state: { messages: number } }).state.messages;
    };
    const bus = quietBus({ name: 'Worker' });
    bus.on(Job, ({ n }) => {
      if (n === 0) throw new Error('not yet');
      return n;
    });
    await using _crew = jobs.work(bus, { concurrency: 4 });
    const receipts = await Promise.all([0, 1, 2, 3, 4, 5].map((n) => jobs.enqueue(new Job({ n }))));
    await Promise.all(receipts.slice(1).map((receipt) => receipt.completed({ timeout: 10 })));
    // That of the one that failed.
    await expect.poll(counts, { timeout: 5000 }).toBe(1);
  });

  test('queue - what is enqueued again after dedupeWindow is stored again', async () => {
    const jobs = await (await net()).queue('jobs', { events: [Job], dedupeWindow: 0.3 });
    const event = new Job({ n: 1 });
    const [first, second] = [await jobs.enqueue(event), await jobs.enqueue(event)];
    expect([first.duplicate, second.duplicate]).toEqual([false, true]);
    await pause(0.6);
    const third = await jobs.enqueue(event);
    expect([third.sequence, third.duplicate]).toEqual([2, false]);
  });
});
