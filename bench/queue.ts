import { connectNats, type NatsQueue } from '@threadbus/nats';
import { Queue, QueueEvents } from 'bullmq';
import { contest } from './contest.ts';
import { calls, hasNats, hasRedis, startFar, startNats, startRedis } from './nats-servers.ts';
import { Task, taskQueue } from './queue-events.ts';
import { check, kept, type Load, type Scenario } from './scenario.ts';

const text = 'x'.repeat(200);

async function startOurs(): Promise<NatsQueue<InstanceType<typeof Task>>> {
  const servers = await startNats();
  await startFar('./queue-far.js', 'threadbus', servers);
  return (await connectNats({ servers, namespace: 'bench' })).queue('tasks', taskQueue);
}

async function startBullmq(): Promise<{ readonly queue: Queue; readonly events: QueueEvents }> {
  const port = await startRedis();
  await startFar('./queue-far.js', 'bullmq', `${port}`);
  const connection = { host: '127.0.0.1', port };
  const events = new QueueEvents('tasks', { connection });
  await events.waitUntilReady();
  return { queue: new Queue('tasks', { connection }), events };
}

const load = (name: string, size: number, quick: number, callers: number): Load => ({
  name,
  unit: 'µs per job',
  ratio: '× as fast',
  size,
  quick,
  contestants: {
    threadbus: kept(startOurs, (jobs, count, measure) =>
      measure(async () => {
        const call = async (n: number): Promise<number> => {
          const receipt = await jobs.enqueue(new Task({ n, text }));
          return (await receipt.completed()).eventResult();
        };
        check(await calls(count, callers, call), count);
      }),
    ),
    // Redis keeps nothing on disk, JetStream does.
    BullMQ: kept(startBullmq, ({ queue, events }, count, measure) =>
      measure(async () => {
        const call = async (n: number): Promise<number> => {
          const job = await queue.add('square', { n, text }, { removeOnComplete: { count: 5000 } });
          return (await job.waitUntilFinished(events)) as number;
        };
        check(await calls(count, callers, call), count);
      }),
    ),
  },
});

/** Jobs that are stored, run in another process, and whose results are awaited. */
export const queue: Scenario =
  hasNats && hasRedis
    ? contest('queue', [load('one after another', 1000, 50, 1), load('256 in flight', 10_000, 500, 256)])
    : {
        name: 'queue',
        run: async () => {
          console.error(
            'queue: left out, it needs nats-server and redis-server (apt-get install nats-server redis-server)',
          );
          return [];
        },
      };
