import { BaseEvent } from '@threadbus/core';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { hasServer } from '../helpers/nats-server.ts';
import { connected, newNamespace, sharedServer } from '../helpers/nets.ts';

const Job = BaseEvent.extend('Job', { n: z.number() }, { result: z.number(), idempotent: true });

describe.skipIf(!hasServer)('redrive', () => {
  const server = sharedServer();

  /** A queue with a dead letter, as two have read it, and whose handler fails no more. */
  async function setting() {
    const net = await connected({ servers: server().url, namespace: newNamespace() });
    const jobs = await net.queue('jobs', { events: [Job], maxDeliver: 1 });
    const bus = quietBus({ name: 'Worker' });
    const ran: number[] = [];
    let fails = true;
    bus.on(Job, ({ n }) => {
      ran.push(n);
      if (fails) throw new Error('not now');
      return n;
    });
    jobs.work(bus, { concurrency: 8 });
    const event = new Job({ n: 1 });
    await (await jobs.enqueue(event)).completed({ timeout: 10 });
    fails = false;
    const read = async () => {
      for await (const dead of jobs.deadLetters()) return dead;
      throw new Error('no dead letter');
    };
    return { jobs, event, ran, one: await read(), other: await read() };
  }

  test('redrive - of a letter that somebody else has redriven repeats nothing, and what it came to since is known', async () => {
    const { jobs, event, ran, one, other } = await setting();
    await one.redrive();
    expect((await jobs.completed(event.event_id, { timeout: 10 })).event_outcome).toBe('succeeded');
    await other.redrive();
    await other.discard();
    expect((await jobs.completed(event.event_id, { timeout: 5 })).event_outcome).toBe('succeeded');
    expect(ran).toEqual([1, 1]);
  });

  test('redrive - of several at the same moment puts the event back once', async () => {
    const { jobs, event, ran, one, other } = await setting();
    await Promise.all([one.redrive(), other.redrive(), one.redrive(), other.redrive()]);
    expect((await jobs.completed(event.event_id, { timeout: 10 })).event_outcome).toBe('succeeded');
    await expect.poll(() => jobs.stats()).toEqual({ waiting: 0, running: 0, dead: 0 });
    expect(ran).toEqual([1, 1]);
  });
});
