// The other process: works off a queue, 256 jobs at a time.
import { EventBus } from '@threadbus/core';
import { connectNats } from '@threadbus/nats';
import { Worker } from 'bullmq';
import { Task, taskQueue } from './queue-events.ts';

const concurrency = 256;
const [kind = '', where = ''] = process.argv.slice(2);
if (kind === 'threadbus') {
  const bus = new EventBus({ name: 'Far', maxPending: null, parallelHandlers: true });
  bus.on(Task, async ({ n }) => n * n);
  const net = await connectNats({ servers: where, namespace: 'bench' });
  (await net.queue('tasks', taskQueue)).work(bus, { concurrency });
} else {
  const run = async ({ data: { n } }: { data: { n: number } }): Promise<number> => n * n;
  const worker = new Worker<{ n: number }, number>('tasks', run, {
    connection: { host: '127.0.0.1', port: Number(where) },
    concurrency,
  });
  await worker.waitUntilReady();
}
process.send?.('ready');
process.on('disconnect', () => process.exit());
