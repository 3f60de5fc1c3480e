import { BaseEvent } from '@threadbus/core';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { hasServer } from '../helpers/nats-server.ts';
import { connected, newNamespace, sharedServer } from '../helpers/nets.ts';

const Page = BaseEvent.extend('Page', { n: z.number(), text: z.string() }, { result: z.number(), idempotent: true });

describe.skipIf(!hasServer)('large events', () => {
  const server = sharedServer();

  test('queue - more than a server keeps for a slow reader: a crew with a place for each is not cut off', async () => {
    const namespace = newNamespace();
    const net = await connected({ servers: server().url, namespace });
    const pages = await net.queue('pages', { events: [Page] });
    const text = 'x'.repeat(1_000_000);
    const count = 80;
    for (let n = 0; n < count; n += 8) {
      await Promise.all(
        Array.from({ length: 8 }, (_, more) => pages.enqueue(new Page({ n: n + more, text }), { timeout: 30 })),
      );
    }
    const bus = quietBus({ name: 'Worker', parallelHandlers: true, maxPending: null, maxHistorySize: 0 });
    const ran: number[] = [];
    bus.on(Page, ({ n }) => {
      // Nothing is read meanwhile.
      if (ran.length === 0) block(1500);
      ran.push(n);
      return n;
    });
    const far = await connected({ servers: server().url, namespace });
    (await far.queue('pages', { events: [Page] })).work(bus, { concurrency: count });
    await expect.poll(() => ran.length, { timeout: 40_000 }).toBe(count);
    expect(new Set(ran).size).toBe(count);
    expect(server().printed).not.toContain('Slow Consumer');
  }, 60_000);
});

function block(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end;);
}
