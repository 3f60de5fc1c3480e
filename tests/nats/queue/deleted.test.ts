import { BaseEvent, EventBus } from '@threadbus/core';
import { isQueueConfigError, isQueueUnavailableError, type QueueOptions } from '@threadbus/nats';
import { connect } from '@nats-io/transport-node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { rejection } from '../../helpers/gate.ts';
import { hasServer } from '../helpers/nats-server.ts';
import { connected, newNamespace, sharedServer } from '../helpers/nets.ts';

const Job = BaseEvent.extend('Job', { n: z.number() }, { result: z.number(), idempotent: true });
type JobEvent = InstanceType<typeof Job>;

describe.skipIf(!hasServer)('deleted', () => {
  const server = sharedServer();

  /** A queue whose worker has run one event; `remove` deletes a part of it behind its back. */
  async function setting(options: Partial<QueueOptions<JobEvent>> = {}) {
    const namespace = newNamespace();
    const net = await connected({ servers: server().url, namespace });
    const jobs = await net.queue('jobs', { events: [Job], backoff: [], maxDeliver: 2, ackWait: 1, ...options });
    const warnings: string[] = [];
    const ignore = (): void => undefined;
    const logger = { debug: ignore, info: ignore, warn: (text: string) => void warnings.push(text), error: ignore };
    const bus = new EventBus({ maxPending: null, logger });
    onTestFinished(() => bus.stop());
    const ran: number[] = [];
    bus.on(Job, ({ n }) => {
      ran.push(n);
      if (n < 0) throw new RangeError('below 0');
      return n;
    });
    const crew = jobs.work(bus);
    const raw = await connect({ servers: server().url });
    onTestFinished(() => raw.close());
    const remove = async (what: string): Promise<void> =>
      void (await raw.request(`$JS.API.${what.replace('jobs', `${namespace}_jobs`)}`));
    const runOne = async (n: number): Promise<JobEvent> =>
      (await jobs.enqueue(new Job({ n }), { timeout: 5 })).completed({ timeout: 15 });
    await runOne(1);
    return { net, jobs, crew, remove, runOne, ran, warnings };
  }

  test.each(['jobs_tries', 'jobs_results', 'jobs_dead'])(
    'queue - its stream %s deleted behind its back is made again when it is needed',
    async (stream) => {
      const { jobs, remove, runOne, ran } = await setting();
      await remove(`STREAM.DELETE.${stream}`);
      expect((await runOne(2)).event_outcome).toBe('succeeded');
      expect((await runOne(-3)).event_outcome).toBe('failed');
      expect(ran).toEqual([1, 2, -3, -3]);
      await expect.poll(() => jobs.stats()).toEqual({ waiting: 0, running: 0, dead: 1 });
    },
  );

  test('queue - its events deleted behind its back: whoever enqueues or waits is told at once', async () => {
    const { jobs, crew, remove } = await setting();
    await crew.close();
    const receipt = await jobs.enqueue(new Job({ n: 2 }));
    await remove('STREAM.DELETE.jobs');
    const errors = [
      await rejection(jobs.enqueue(new Job({ n: 3 }), { timeout: 60 })),
      await rejection(jobs.completed(new Job({ n: 4 }).event_id)),
      await rejection(receipt.completed()),
      await rejection(jobs.replay({ follow: true }).next()),
    ];
    for (const error of errors) {
      expect(isQueueUnavailableError(error)).toBe(true);
      expect(error.message).toContain('was deleted');
    }
  });

  test('queue - a consumer deleted behind its back is made again where events may be repeated, which is said', async () => {
    const { remove, runOne, warnings } = await setting();
    await remove('CONSUMER.DELETE.jobs.p0');
    expect((await runOne(2)).event_outcome).toBe('succeeded');
    expect(warnings.join()).toContain('which events are done');
  });

  test('queue - a consumer deleted behind its back ends the crew where none may run twice', async () => {
    const { net, crew, remove, ran } = await setting({ maxDeliver: 1 });
    await remove('CONSUMER.DELETE.jobs.p0');
    expect(isQueueConfigError(await crew.failed)).toBe(true);
    expect(isQueueConfigError(await rejection(net.queue('jobs', { events: [Job], maxDeliver: 1 })))).toBe(true);
    expect(ran).toEqual([1]);
  }, 40_000);

  test('queue - deleted and made with other settings: the crew of before ends, and says why', async () => {
    const { net, jobs, crew } = await setting();
    await jobs.delete();
    await net.queue('jobs', { events: [Job], key: ({ n }) => n, partitions: 2 });
    const error = await crew.failed;
    expect(isQueueConfigError(error) || isQueueUnavailableError(error)).toBe(true);
  }, 40_000);
});
