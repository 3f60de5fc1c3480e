import { connect } from '@nats-io/transport-node';
import type { NatsNet } from '@threadbus/nats';
import { isSemaphoreUnavailableError } from '@threadbus/semaphore';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Square } from '../../fixtures/nats/events.ts';
import { hasServer } from '../helpers/nats-server.ts';
import { connected, newNamespace, sharedServer } from '../helpers/nets.ts';
import { Broker } from '../../../packages/nats/dist/broker/broker.js';
import { JetStream } from '../../../packages/nats/dist/jetstream/jetstream.js';

const [rounds, processes] = [40, 6];

/** So many that use a namespace for the first time, at one moment, again and again. */
async function beginTogether(servers: string, use: (net: NatsNet, at: number) => Promise<unknown>): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    const namespace = newNamespace();
    const nets = await Promise.all(Array.from({ length: processes }, () => connected({ servers, namespace })));
    await Promise.all(nets.map(use));
    await Promise.all(nets.map((net) => net.close()));
  }
}

function expectUnavailable(error: unknown): void {
  expect(error).toSatisfy(isSemaphoreUnavailableError);
}

// A server of version 2.9 falls when it is asked for a message of a stream that it is about to make.
describe.skipIf(!hasServer)('a store that is made', () => {
  const server = sharedServer();

  test('store - a stream that many make at one moment takes what is published then', async () => {
    const stores = await Promise.all(
      Array.from({ length: processes }, async () => {
        const connection = await connect({ servers: server().url });
        onTestFinished(() => connection.close());
        return new JetStream(new Broker(connection, false));
      }),
    );
    for (let round = 0; round < rounds; round += 1) {
      const name = newNamespace();
      const acks = await Promise.all(
        stores.map(async (store) => {
          await store.ensureStream({ name, subjects: [`${name}.*`] });
          return store.publish(`${name}.news`, Buffer.from('new'), {});
        }),
      );
      expect(acks.map(({ sequence }) => sequence).sort((a, b) => a - b)).toEqual(stores.map((_, at) => at + 1));
    }
  }, 60_000);

  test('store - semaphores that many use first at one moment', async () => {
    await beginTogether(server().url, async (net) => {
      const lease = await net.semaphore('gpu', { limit: processes, lease: 5 }).acquire({ timeout: 10 });
      expect(lease.signal.aborted).toBe(false);
      await lease.release();
    });
  }, 60_000);

  test('store - a queue that many make at one moment, with one option apart', async () => {
    const squares = (net: NatsNet, keepResults: number) =>
      net.queue('squares', { events: [Square], maxDeliver: 1, keepResults });
    await beginTogether(server().url, async (net, at) => {
      const jobs = await squares(net, 60 + (at % 2));
      expect(await jobs.enqueue(new Square({ n: at }))).toMatchObject({ duplicate: false });
      for await (const { event } of jobs.deadLetters()) expect.fail(`${String(event)} is dead`);
    });
  }, 60_000);

  test('store - semaphores that are looked at while theirs is deleted and made anew', async () => {
    const options = { servers: server().url, namespace: newNamespace() };
    const gpu = (net: NatsNet) => net.semaphore('gpu', { limit: 1, lease: 5 });
    const nets = await Promise.all(Array.from({ length: processes }, () => connected(options)));
    await Promise.all(nets.map((net) => gpu(net).inspect()));
    const owner = await connect({ servers: options.servers });
    const over = new AbortController();
    // That it was replaced, or isn't there, is what they may get.
    const looking = nets.map(async (net) => {
      while (!over.signal.aborted) await gpu(net).inspect().catch(expectUnavailable);
    });
    onTestFinished(() => over.abort());
    for (let round = 0; round < rounds; round += 1) {
      await owner.request(`$JS.API.STREAM.DELETE.KV_${options.namespace}_limits`);
      const fresh = await connected(options);
      await gpu(fresh).inspect();
      await fresh.close();
    }
    over.abort();
    await Promise.all(looking);
    await owner.close();
  }, 60_000);
});
