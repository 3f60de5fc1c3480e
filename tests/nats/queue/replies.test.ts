import { connect, type NatsConnection } from '@nats-io/transport-node';
import { BaseEvent } from '@threadbus/core';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { encodeOutcome } from '../../../packages/nats/src/queue/stored-outcome.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { hasServer } from '../helpers/nats-server.ts';
import { connected, newNamespace, sharedServer } from '../helpers/nets.ts';

const Job = BaseEvent.extend('Job', { n: z.number() }, { result: z.number(), idempotent: true });

describe.skipIf(!hasServer)('queue replies', () => {
  const server = sharedServer();

  const rawConnection = async (): Promise<NatsConnection> => {
    const raw = await connect({ servers: server().url });
    onTestFinished(() => raw.close());
    return raw;
  };

  /** A queue whose process has waited before, so that it is told what comes of its events. */
  const heard = async () => {
    const namespace = newNamespace();
    const net = await connected({ servers: server().url, namespace });
    const jobs = await net.queue('jobs', { events: [Job] });
    const bus = quietBus({ name: 'Worker' });
    bus.on(Job, ({ n }) => n * 2);
    const first = jobs.work(bus);
    await (await jobs.enqueue(new Job({ n: 0 }))).completed({ timeout: 10 });
    await first.close();
    return { namespace, jobs, bus };
  };

  test('queue replies - who waits is told by whoever ran the event, and asks the store for nothing', async () => {
    const { namespace, jobs, bus } = await heard();
    const raw = await rawConnection();
    const asked: string[] = [];
    raw.subscribe('$JS.API.STREAM.MSG.GET.>', { callback: (_, { subject }) => void asked.push(subject) });
    raw.subscribe(`threadbus.${namespace}.queue.jobs.replies.>`, { callback: () => void asked.push('reply') });
    await raw.flush();
    await using crew = jobs.work(bus, { concurrency: 4 });
    crew.unref();
    const receipts = await Promise.all([1, 2, 3].map((n) => jobs.enqueue(new Job({ n }))));
    const ends = await Promise.all(receipts.map((receipt) => receipt.completed({ timeout: 10 })));
    expect(await Promise.all(ends.map((event) => event.eventResult()))).toEqual([2, 4, 6]);
    await raw.flush();
    expect(asked).toEqual(['reply', 'reply', 'reply']);
    // Asked once more, it is read from where it came before.
    expect(await (await receipts.at(0)?.completed({ timeout: 10 }))?.eventResult()).toBe(2);
  });

  test('queue replies - one that is lost is looked up', async () => {
    const { namespace, jobs } = await heard();
    const event = new Job({ n: 21 });
    const receipt = await jobs.enqueue(event);
    // A worker that stores what came of it, and tells nobody.
    const bus = quietBus({ name: 'Silent' });
    bus.on(Job, ({ n }) => n * 2);
    const ran = await bus.dispatch(new Job({ n: 21 }, { event_id: event.event_id }));
    const raw = await rawConnection();
    const subject = `threadbus.${namespace}.queue.jobs.results.${event.event_id}`;
    await raw.request(subject, encodeOutcome(receipt.sequence, ran, 1e6));
    expect(await (await receipt.completed({ timeout: 10 })).eventResult()).toBe(42);
  });

  test('queue replies - what cannot be read ends the wait', async () => {
    const { namespace, jobs } = await heard();
    const event = new Job({ n: 1 });
    const receipt = await jobs.enqueue(event);
    const raw = await rawConnection();
    await raw.request(`threadbus.${namespace}.queue.jobs.results.${event.event_id}`, Buffer.from('nothing of ours'));
    await expect(receipt.completed({ timeout: 10 })).rejects.toThrow(/can't be read/);
  });
});
