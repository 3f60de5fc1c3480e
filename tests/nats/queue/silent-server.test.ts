import { BaseEvent, EventBus } from '@threadbus/core';
import { isNatsUnavailableError, isQueueUnavailableError } from '@threadbus/nats';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { hasServer, NatsServer } from '../helpers/nats-server.ts';
import { connected, newNamespace } from '../helpers/nets.ts';

const Job = BaseEvent.extend('Job', { n: z.number() }, { idempotent: true });

describe.skipIf(!hasServer)('silent server', () => {
  async function setting() {
    const server = await NatsServer.start();
    onTestFinished(() => server[Symbol.asyncDispose]());
    const net = await connected({ servers: server.url, namespace: newNamespace() });
    const jobs = await net.queue('jobs', { events: [Job], key: () => 'one', partitions: 1 });
    onTestFinished(() => server.signal('SIGCONT'));
    return { server, net, jobs };
  }

  test('queue - a signal ends each wait at once, while the server says nothing', async () => {
    const { server, net, jobs } = await setting();
    const receipt = await jobs.enqueue(new Job({ n: 0 }));
    await net.semaphore('free', { limit: 1 }).tryAcquire();
    server.signal('SIGSTOP');
    const controller = new AbortController();
    const { signal } = controller;
    const reason = new Error('enough');
    const waits = [
      jobs.enqueue(new Job({ n: 1 }), { signal, timeout: 100 }),
      jobs.enqueue(new Job({ n: 2 }), { signal, timeout: 100 }),
      receipt.completed({ signal }),
      net.semaphore('held', { limit: 1 }).acquire({ signal }),
      net.semaphore('free', { limit: 1 }).acquire({ signal }),
    ];
    const readings = [jobs.deadLetters({ signal }).next(), jobs.replay({ signal, follow: true }).next()];
    const start = performance.now();
    const settled = Promise.allSettled(waits);
    controller.abort(reason);
    expect(await settled).toEqual(waits.map(() => ({ status: 'rejected', reason })));
    expect(await Promise.all(readings)).toEqual(readings.map(() => ({ done: true, value: undefined })));
    // The shortest of the waits for an answer takes 2 s.
    expect(performance.now() - start).toBeLessThan(1500);
  });

  test('queue - whoever waits behind another of the same key has a time of its own', async () => {
    const { server, jobs } = await setting();
    server.signal('SIGSTOP');
    const first = jobs.enqueue(new Job({ n: 1 }), { timeout: 60 });
    expect(isQueueUnavailableError(await rejection(jobs.enqueue(new Job({ n: 2 }), { timeout: 0.2 })))).toBe(true);
    const third = jobs.enqueue(new Job({ n: 3 }), { timeout: 60 });
    server.signal('SIGCONT');
    expect([(await first).sequence, (await third).sequence]).toEqual([1, 2]);
  });

  test('serve - nobody takes a name, or says who has one, while the server can not pass the question on', async () => {
    const { server, net } = await setting();
    server.signal('SIGSTOP');
    const asking = [net.serve(quietBus({ name: 'Index' })), net.replicas('Index')];
    for (const { status, reason } of (await Promise.allSettled(asking)) as PromiseRejectedResult[]) {
      expect(status).toBe('rejected');
      expect(isNatsUnavailableError(reason)).toBe(true);
    }
    server.signal('SIGCONT');
    await server.kill();
    const away = [net.serve(quietBus({ name: 'Index' })), net.replicas('Index')];
    for (const { status } of await Promise.allSettled(away)) expect(status).toBe('rejected');
  }, 40_000);

  test('replay - that follows outlives a server that is away for longer than it is waited for', async () => {
    const { server, jobs } = await setting();
    const seen: number[] = [];
    const controller = new AbortController();
    await jobs.enqueue(new Job({ n: 1 }));
    server.signal('SIGSTOP');
    const reading = (async () => {
      for await (const event of jobs.replay({ follow: true, signal: controller.signal })) seen.push(event.n);
    })();
    const second = jobs.enqueue(new Job({ n: 2 }), { timeout: 60 });
    await new Promise((resolve) => void setTimeout(resolve, 6000));
    server.signal('SIGCONT');
    await second;
    await expect.poll(() => seen, { timeout: 10_000 }).toEqual([1, 2]);
    await server.kill();
    await server.start();
    await jobs.enqueue(new Job({ n: 3 }), { timeout: 60 });
    await expect.poll(() => seen, { timeout: 10_000 }).toEqual([1, 2, 3]);
    controller.abort();
    await reading;
  }, 60_000);

  test('queue - what a worker has to write down waits for the server, and nothing runs again', async () => {
    const { server, jobs } = await setting();
    const bus = new EventBus({ maxPending: null });
    onTestFinished(() => bus.stop());
    const ran: number[] = [];
    bus.on(Job, ({ n }) => {
      ran.push(n);
      server.signal('SIGSTOP');
      setTimeout(() => server.signal('SIGCONT'), 6000);
      return n;
    });
    jobs.work(bus);
    const event = await (await jobs.enqueue(new Job({ n: 1 }))).completed({ timeout: 30 });
    expect(event.event_outcome).toBe('succeeded');
    await expect.poll(() => jobs.stats(), { timeout: 15_000 }).toEqual({ waiting: 0, running: 0, dead: 0 });
    expect(ran).toEqual([1]);
  }, 60_000);
});
