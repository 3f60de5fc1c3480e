import { BaseEvent } from '@threadbus/core';
import { connect } from '@nats-io/transport-node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { Count, Runs } from '../../fixtures/nats/events.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { hasServer, NatsServer } from '../helpers/nats-server.ts';
import { connected, newNamespace } from '../helpers/nets.ts';
import { Peer } from '../helpers/peer.ts';

const Job = BaseEvent.extend('Job', { n: z.number() }, { result: z.number(), idempotent: true });

/** Three servers that have found each other, and have chosen who leads. */
async function cluster(): Promise<NatsServer[]> {
  const servers = await NatsServer.startCluster();
  onTestFinished(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
  });
  const client = await connect({ servers: servers.map(({ url }) => url) });
  const config = { name: 'probe', subjects: ['probe'], num_replicas: 3 };
  const isReady = async (): Promise<boolean> => {
    try {
      const answer = await client.request('$JS.API.STREAM.CREATE.probe', JSON.stringify(config), { timeout: 2000 });
      return !('error' in answer.json<object>());
    } catch {
      return false;
    }
  };
  await expect.poll(isReady, { timeout: 40_000, interval: 200 }).toBe(true);
  await client.close();
  return servers;
}

describe.skipIf(!hasServer)('cluster', () => {
  test('cluster - each of three servers is killed and comes back under load: links, queue and limits go on', async () => {
    const all = await cluster();
    const servers = all.map(({ url }) => url);
    const namespace = newNamespace();
    await Peer.start({ servers: servers as unknown as string, namespace });
    const net = await connected({ servers, namespace });
    const remote = await net.join(quietBus({ name: 'Main' }), 'Index', { unresponsiveTimeout: 60 });
    const jobs = await net.queue('jobs', { events: [Job] });
    const bus = quietBus({ name: 'Worker' });
    const ran = new Set<number>();
    bus.on(Job, ({ n }) => {
      ran.add(n);
      return n;
    });
    await using _crew = jobs.work(bus, { concurrency: 4 });
    const gpu = net.semaphore('gpu', { limit: 1 });
    let last = (await gpu.acquire({ timeout: 30 })).token;
    const sent: number[] = [];
    const receipts = [];
    let n = 0;
    for (const victim of all) {
      for (const phase of ['before', 'without', 'after']) {
        if (phase === 'without') await victim.kill();
        if (phase === 'after') await victim.start();
        const calls = Array.from({ length: 50 }, () => {
          n += 1;
          sent.push(n);
          return remote.dispatch(new Count({ n })).eventResult();
        });
        receipts.push(await jobs.enqueue(new Job({ n }), { timeout: 60 }));
        expect(await Promise.all(calls)).toEqual(sent.slice(-50));
      }
    }
    expect(await remote.dispatch(new Runs({})).eventResult()).toEqual(sent);
    const events = await Promise.all(receipts.map((receipt) => receipt.completed({ timeout: 60 })));
    expect(events.map(({ event_outcome: outcome }) => outcome)).toEqual(receipts.map(() => 'succeeded'));
    expect(ran.size).toBe(receipts.length);
    // Tokens of a store that three servers keep rise on.
    await expect
      .poll(
        async () => {
          const lease = await net
            .semaphore('other', { limit: 1 })
            .acquire({ timeout: 10 })
            .catch(() => null);
          const rises = lease !== null && lease.token > last;
          last = Math.max(last, lease?.token ?? 0);
          await lease?.release();
          return rises;
        },
        { timeout: 30_000 },
      )
      .toBe(true);
  }, 180_000);
});
