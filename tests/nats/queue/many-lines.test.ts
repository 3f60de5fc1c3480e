import { BaseEvent } from '@threadbus/core';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { hasServer } from '../helpers/nats-server.ts';
import { connected, newNamespace, sharedServer } from '../helpers/nets.ts';
import { Proxy } from '../helpers/proxy.ts';

const Job = BaseEvent.extend('Job', { n: z.number() }, { result: z.number(), idempotent: true });

describe.skipIf(!hasServer)('many lines', () => {
  const server = sharedServer();
  const namespace = newNamespace();
  const newNet = (servers = server().url) => connected({ servers, namespace });

  test('crew - of many lines in which something is stored at one moment it takes what it has places for, and all run', async () => {
    const options = { events: [Job], key: ({ n }: { readonly n: number }) => n, partitions: 64 };
    const proxy = await Proxy.to(server().port);
    const [net, far] = [await newNet(proxy.url), await newNet()];
    const [jobs, others] = [await net.queue('jobs', options), await far.queue('jobs', options)];
    const bus = quietBus({ name: 'Worker', parallelHandlers: true, maxPending: null });
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    bus.on(Job, async ({ n }) => {
      await opened;
      return n;
    });
    await using _crew = jobs.work(bus, { concurrency: 2 });
    // Its places wait at lines that have nothing.
    await new Promise((resolve) => void setTimeout(resolve, 500));
    // They end meanwhile: what the crew is told then comes at one moment, and before any event.
    proxy.cut();
    await new Promise((resolve) => void setTimeout(resolve, 1300));
    const receipts = await Promise.all(Array.from({ length: 200 }, (_, n) => others.enqueue(new Job({ n }))));
    proxy.mend();
    // What was asked for has come.
    await new Promise((resolve) => void setTimeout(resolve, 300));
    const { running } = await others.stats();
    const begun = performance.now();
    open();
    expect(running).toBeLessThanOrEqual(4);
    const events = await Promise.all(receipts.map((receipt) => receipt.completed({ timeout: 15 })));
    expect(await Promise.all(events.map((event) => event.eventResult()))).toEqual(receipts.map((_, n) => n));
    // No place stays at an empty line while others have something.
    expect(performance.now() - begun).toBeLessThan(6000);
  });
});
