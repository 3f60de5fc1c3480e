import { BaseEvent } from '@threadbus/core';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { hasServer } from '../helpers/nats-server.ts';
import { connected, newNamespace, sharedServer } from '../helpers/nets.ts';
import { Proxy } from '../helpers/proxy.ts';

const Job = BaseEvent.extend('Job', { n: z.number() }, { result: z.number(), idempotent: true });

describe.skipIf(!hasServer)('lost answer', () => {
  const server = sharedServer();

  test.each(['the wire is cut', 'it only takes long'])(
    'queue - an event whose acknowledgement does not come, since %s, is stored once and runs once',
    async (why) => {
      const namespace = newNamespace();
      const proxy = await Proxy.to(server().port);
      const near = await connected({ servers: proxy.url, namespace });
      const far = await connected({ servers: server().url, namespace });
      const jobs = await near.queue('jobs', { events: [Job] });
      const others = await far.queue('jobs', { events: [Job] });
      proxy.mute();
      const enqueued = jobs.enqueue(new Job({ n: 7 }), { timeout: 20 });
      await expect.poll(async () => (await others.stats()).waiting, { timeout: 5000 }).toBe(1);
      // Longer than one answer is waited for; or it never comes.
      if (why === 'it only takes long') await new Promise((resolve) => void setTimeout(resolve, 2500));
      else proxy.drop();
      proxy.mend();
      const receipt = await enqueued;
      // It is the one that this call has stored.
      expect(receipt.duplicate).toBe(false);
      expect(await others.stats()).toEqual({ waiting: 1, running: 0, dead: 0 });
      let runs = 0;
      const bus = quietBus({ name: 'Worker' });
      bus.on(Job, ({ n }) => {
        runs += 1;
        return n;
      });
      await using _crew = others.work(bus, { concurrency: 4 });
      expect(await (await receipt.completed({ timeout: 10 })).eventResult()).toBe(7);
      await expect.poll(() => others.stats()).toEqual({ waiting: 0, running: 0, dead: 0 });
      expect(runs).toBe(1);
    },
    30_000,
  );

  test('queue - an event that somebody else has stored while no answer came is a duplicate', async () => {
    const namespace = newNamespace();
    const proxy = await Proxy.to(server().port);
    const near = await (await connected({ servers: proxy.url, namespace })).queue('jobs', { events: [Job] });
    const far = await (await connected({ servers: server().url, namespace })).queue('jobs', { events: [Job] });
    const event = new Job({ n: 7 });
    proxy.cut();
    const enqueued = near.enqueue(event, { timeout: 20 });
    const first = await far.enqueue(event);
    await new Promise((resolve) => void setTimeout(resolve, 2500));
    proxy.mend();
    const second = await enqueued;
    expect([first.duplicate, second.duplicate]).toEqual([false, true]);
    expect(second.sequence).toBe(first.sequence);
  }, 30_000);
});
