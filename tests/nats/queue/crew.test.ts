import { BaseEvent, EventBus, isBusStoppedError } from '@threadbus/core';
import { isNatsUnavailableError, type NatsQueue, type QueueStats } from '@threadbus/nats';
import { WorkerBus } from '@threadbus/worker';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { Square } from '../../fixtures/nats/events.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { hasServer } from '../helpers/nats-server.ts';
import { connected, newNamespace, sharedServer } from '../helpers/nets.ts';

const Job = BaseEvent.extend('Job', { n: z.number() }, { result: z.number(), idempotent: true });
const Once = BaseEvent.extend('Once', { n: z.number() });
const ignore = (): void => undefined;
const logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

describe.skipIf(!hasServer)('crew', () => {
  const server = sharedServer();

  const net = () => connected({ servers: server().url, namespace: newNamespace() });

  function newBus(options: { maxPending?: number | null } = {}): EventBus {
    const bus = new EventBus({ maxPending: null, parallelHandlers: true, logger, ...options });
    onTestFinished(() => bus.stop());
    return bus;
  }

  async function becomes(jobs: Pick<NatsQueue, 'stats'>, stats: QueueStats): Promise<void> {
    await expect.poll(() => jobs.stats(), { timeout: 5000 }).toEqual(stats);
  }

  test('crew - on a bus that is stopped takes nothing, and says why', async () => {
    const jobs = await (await net()).queue('jobs', { events: [Job], backoff: [] });
    const bus = newBus();
    bus.on(Job, ({ n }) => n);
    await bus.stop();
    const receipt = await jobs.enqueue(new Job({ n: 1 }));
    expect(isBusStoppedError(await jobs.work(bus).failed)).toBe(true);
    expect(await jobs.stats()).toEqual({ waiting: 1, running: 0, dead: 0 });
    const other = newBus();
    other.on(Job, ({ n, event_delivery: delivery }) => n + (delivery?.count ?? 0));
    await using _crew = jobs.work(other);
    expect(await (await receipt.completed({ timeout: 5 })).eventResult()).toBe(2);
  });

  test('crew - on a WorkerBus that is stopped gives its events back as if they had never been there', async () => {
    const jobs = await (await net()).queue('jobs', { events: [Square], maxDeliver: 1, ackWait: 1 });
    const worker = await WorkerBus.start(fixtureUrl('nats/blocking-bus'));
    onTestFinished(() => worker.stop());
    const crew = jobs.work(worker, { concurrency: 2 });
    expect(await (await (await jobs.enqueue(new Square({ n: 3 }))).completed()).eventResult()).toBe(9);
    await worker.stop();
    const receipts = await Promise.all([4, 5, 6].map((n) => jobs.enqueue(new Square({ n }))));
    expect(isBusStoppedError(await crew.failed)).toBe(true);
    const bus = newBus();
    bus.on(Square, ({ n, event_delivery: delivery }) => n + 10 * (delivery?.count ?? 0));
    await using _crew = jobs.work(bus, { concurrency: 3 });
    const events = await Promise.all(receipts.map((receipt) => receipt.completed({ timeout: 10 })));
    expect(await Promise.all(events.map((event) => event.eventResult()))).toEqual([14, 15, 16]);
    await becomes(jobs, { waiting: 0, running: 0, dead: 0 });
  });

  test('crew - two that close it, the second with less patience: both end', async () => {
    const jobs = await (await net()).queue('jobs', { events: [Job] });
    const bus = newBus();
    let end: (n: number) => void = ignore;
    const started = new Promise<void>((resolve) => {
      bus.on(Job, () => {
        resolve();
        return new Promise<number>((give) => {
          end = give;
        });
      });
    });
    const crew = jobs.work(bus);
    await jobs.enqueue(new Job({ n: 1 }));
    await started;
    await Promise.all([crew.close({ timeout: null }), crew.close({ timeout: 0.1 }), crew.close({ timeout: null })]);
    expect(await crew.failed).toBe(null);
    end(1);
  });

  test('crew - what waits for a place on its bus when it closes is run by others alone, and counts as not started', async () => {
    const jobs = await (await net()).queue('jobs', { events: [Once], maxDeliver: 1, ackWait: 5 });
    const small = newBus({ maxPending: 1 });
    const ran: string[] = [];
    let end: () => void = ignore;
    const started = new Promise<void>((resolve) => {
      small.on(Once, ({ n }) => {
        ran.push(`small ${n}`);
        resolve();
        return new Promise<void>((give) => {
          end = give;
        });
      });
    });
    const crew = jobs.work(small, { concurrency: 3 });
    const receipts = [];
    for (const n of [0, 1, 2]) receipts.push(await jobs.enqueue(new Once({ n })));
    await started;
    await expect.poll(() => crew.running).toBe(3);
    const closing = crew.close();
    end();
    await closing;
    const other = newBus();
    other.on(Once, ({ n }) => void ran.push(`other ${n}`));
    await using _crew = jobs.work(other, { concurrency: 3 });
    await Promise.all(receipts.map((receipt) => receipt.completed({ timeout: 10 })));
    end();
    expect(ran.filter((each) => each.startsWith('small')).length).toBeLessThan(3);
    expect(new Set(ran.map((each) => each.split(' ')[1]))).toEqual(new Set(['0', '1', '2']));
    expect(ran).toHaveLength(3);
    await becomes(jobs, { waiting: 0, running: 0, dead: 0 });
  });

  test('crew - given up while its events wait for a place: none of those is started here later', async () => {
    const jobs = await (await net()).queue('jobs', { events: [Once], maxDeliver: 1, ackWait: 5 });
    const small = newBus({ maxPending: 1 });
    const ran: number[] = [];
    let end: () => void = ignore;
    small.on(Once, ({ n }) => {
      ran.push(n);
      return new Promise<void>((give) => {
        end = give;
      });
    });
    const crew = jobs.work(small, { concurrency: 3 });
    for (const n of [0, 1, 2]) await jobs.enqueue(new Once({ n }));
    await expect.poll(() => crew.running).toBe(3);
    await expect.poll(() => ran.length).toBe(1);
    await crew.close({ timeout: 0 });
    const before = ran.length;
    const other = newBus();
    other.on(Once, ({ n }) => void ran.push(n));
    await using _crew = jobs.work(other, { concurrency: 3 });
    await expect.poll(() => ran.length).toBe(before + 2);
    end();
    await small.waitUntilIdle();
    expect([...ran].sort((a, b) => a - b)).toEqual([0, 1, 2]);
    // The one that ran was given up by its worker.
    await becomes(jobs, { waiting: 0, running: 0, dead: 1 });
  });

  test('crew - of a closed net is refused', async () => {
    const here = await net();
    const jobs = await here.queue('jobs', { events: [Job] });
    const receipt = await jobs.enqueue(new Job({ n: 1 }));
    await here.close();
    expect(() => jobs.work(newBus())).toThrow(expect.toSatisfy(isNatsUnavailableError));
    const calls = [() => receipt.completed(), () => jobs.stats(), () => jobs.delete(), () => jobs.deadLetters().next()];
    for (const call of calls) await expect(call()).rejects.toSatisfy(isNatsUnavailableError);
  });
});
