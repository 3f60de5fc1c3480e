import { connect } from '@nats-io/transport-node';
import { BaseEvent } from '@threadbus/core';
import { isQueueConfigError } from '@threadbus/nats';
import { describe, expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { hasServer } from '../helpers/nats-server.ts';
import { connected, newNamespace, sharedServer } from '../helpers/nets.ts';

const Job = BaseEvent.extend('Job', { n: z.number() }, { result: z.number(), idempotent: true });

describe.skipIf(!hasServer)('names of queues', () => {
  const server = sharedServer();
  const netOf = (namespace: string) => connected({ servers: server().url, namespace });

  async function streamsOf(namespace: string): Promise<readonly string[]> {
    const connection = await connect({ servers: server().url });
    onTestFinished(() => connection.close());
    const { data } = await connection.request('$JS.API.STREAM.NAMES');
    const { streams } = JSON.parse(Buffer.from(data).toString()) as { streams: string[] };
    return streams.filter((name) => name.startsWith(namespace));
  }

  test.each([
    ['of another namespace', '', 'x_jobs', '_x', 'jobs'],
    ['of another namespace, the other way round', '_x', 'jobs', '', 'x_jobs'],
    ['that are parts of one', '', 'jobs', '', 'jobs_results'],
    ['that have such a name before', '', 'jobs_tries', '', 'jobs'],
  ])('queue - one whose streams would be those %s is refused, and takes nothing from the other', async (...given) => {
    const [, oneSpace, one, otherSpace, other] = given;
    const namespace = newNamespace();
    const jobs = await (await netOf(`${namespace}${oneSpace}`)).queue(one, { events: [Job] });
    const bus = quietBus({ name: 'Worker' });
    bus.on(Job, ({ n }) => n * 2);
    jobs.work(bus);
    const second = await netOf(`${namespace}${otherSpace}`);
    const before = await streamsOf(namespace);
    const error = await rejection(second.queue(other, { events: [Job] }));
    expect(isQueueConfigError(error)).toBe(true);
    expect(error.message).toContain('Choose another name.');
    expect(await streamsOf(namespace)).toEqual(before);
    const receipt = await jobs.enqueue(new Job({ n: 2 }), { timeout: 5 });
    expect(await (await receipt.completed({ timeout: 10 })).eventResult()).toBe(4);
  });
});
