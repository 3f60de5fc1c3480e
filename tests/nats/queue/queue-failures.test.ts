import { isWorkerLostError, type NatsQueue } from '@threadbus/nats';
import { describe, expect, onTestFinished, test } from 'vitest';
import { queueOptions, Step } from '../../fixtures/nats/queue-worker.ts';
import { hasServer, NatsServer } from '../helpers/nats-server.ts';
import { connected, newNamespace, sharedServer } from '../helpers/nets.ts';
import { Peer } from '../helpers/peer.ts';

interface Ran {
  readonly ran: number;
  readonly key: string;
  readonly count: number;
  readonly at: number;
}

type Jobs = NatsQueue<InstanceType<typeof Step>>;
const pause = (seconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, seconds * 1000));
const ranOf = (peers: readonly Peer[]): Ran[] =>
  peers
    .flatMap(({ messages }) => messages.filter((message) => 'ran' in message) as unknown as Ran[])
    .sort((a, b) => a.at - b.at);

describe.skipIf(!hasServer)('queue failures', () => {
  const server = sharedServer();

  async function setting(given: { keyed?: boolean; ackWait?: number; maxDeliver?: number; servers?: string } = {}) {
    const { keyed = false, ackWait = 1, maxDeliver = 5, servers = server().url } = given;
    const plan = { servers, namespace: newNamespace(), keyed, ackWait, maxDeliver, concurrency: 2 };
    const net = await connected({ servers, namespace: plan.namespace });
    const jobs: Jobs = await net.queue('steps', queueOptions(plan));
    return { jobs, work: (): Promise<Peer> => Peer.start(plan, 'nats/queue-worker') };
  }

  test('queue - a handler that takes longer than ackWait runs once', async () => {
    const { jobs, work } = await setting({ ackWait: 0.6 });
    const workers = [await work(), await work()];
    const receipt = await jobs.enqueue(new Step({ n: 1, key: 'a', act: 'wait', ms: 2000 }));
    expect(await (await receipt.completed({ timeout: 30 })).eventResult()).toBe(1);
    expect(ranOf(workers)).toHaveLength(1);
  });

  test('queue - one that blocks its thread longer is warned of, since others run it too', async () => {
    const { jobs, work } = await setting({ ackWait: 0.6 });
    const worker = await work();
    const receipt = await jobs.enqueue(new Step({ n: 1, key: 'a', act: 'block', ms: 1000 }));
    await receipt.completed({ timeout: 30 });
    expect((await worker.says('warn'))['warn']).toContain('came to nothing else for');
  });

  test('queue - a worker that dies leaves its event to the next, in the order of its key', async () => {
    const { jobs, work } = await setting({ keyed: true, ackWait: 0.6 });
    const workers = [await work()];
    const acts = ['go', 'go', 'die', 'go', 'go'] as const;
    const receipts = [];
    for (const [n, act] of acts.entries()) receipts.push(await jobs.enqueue(new Step({ n, key: 'a', act })));
    workers.push(await work());
    const events = await Promise.all(receipts.map((receipt) => receipt.completed({ timeout: 30 })));
    expect(events.map(({ event_outcome: outcome }) => outcome)).toEqual(acts.map(() => 'succeeded'));
    expect(ranOf(workers).map(({ ran, count }) => [ran, count])).toEqual([
      [0, 1],
      [1, 1],
      [2, 1],
      [2, 2],
      [3, 1],
      [4, 1],
    ]);
  });

  test('queue - an event that kills every worker is a dead letter, with what is known', async () => {
    const { jobs, work } = await setting({ ackWait: 0.5, maxDeliver: 2 });
    const receipt = await jobs.enqueue(new Step({ n: 1, key: 'a', act: 'die always' }));
    const workers = [await work(), await work(), await work()];
    const event = await receipt.completed({ timeout: 30 });
    expect(event.event_outcome).toBe('failed');
    for await (const dead of jobs.deadLetters()) {
      expect(isWorkerLostError(dead.error)).toBe(true);
      expect(dead.deliveries).toBe(2);
    }
    // Whoever waits for an event hears of its end before the store does.
    await expect.poll(() => jobs.stats(), { timeout: 5000 }).toEqual({ waiting: 0, running: 0, dead: 1 });
    expect(ranOf(workers).map(({ count }) => count)).toEqual([1, 2]);
  }, 60_000);

  test('queue - from 1 to 4 to 2 workers, some of them killed: all run, in the order of each key', async () => {
    // Longer than a process of these is kept from its core.
    const { jobs, work } = await setting({ keyed: true, ackWait: 2.5 });
    const keys = ['a', 'b', 'c', 'd', 'e', 'f'];
    const numbers = Array.from({ length: 25 }, (_, n) => n);
    const workers = [await work()];
    const receipts = await Promise.all(
      numbers.flatMap((n) => keys.map((key) => jobs.enqueue(new Step({ n, key, act: 'wait', ms: 15 })))),
    );
    workers.push(...(await Promise.all([work(), work(), work()])));
    await pause(0.2);
    workers[0]?.send('close');
    await workers[1]?.kill();
    await Promise.all(receipts.map((receipt) => receipt.completed({ timeout: 30 })));
    const all = ranOf(workers);
    for (const key of keys) {
      // A kill may repeat the one that was running, and nothing else.
      const ran = all.filter((each) => each.key === key).map(({ ran: n }) => n);
      expect(ran.filter((n, at) => ran.indexOf(n) === at)).toEqual(numbers);
      expect(ran.every((n, at) => at === 0 || n === (ran[at - 1] as number) + 1 || n === ran[at - 1])).toBe(true);
    }
  }, 60_000);

  test('queue - the broker is killed while events come and go: what was stored runs', async () => {
    const own = await NatsServer.start();
    onTestFinished(() => own[Symbol.asyncDispose]());
    const { jobs, work } = await setting({ servers: own.url });
    const worker = await work();
    const numbers = Array.from({ length: 200 }, (_, n) => n);
    const receipts = numbers.map(async (n) => {
      await pause(n / 200);
      return jobs.enqueue(new Step({ n, key: 'a', act: 'go' }), { timeout: 20 });
    });
    await pause(0.3);
    await own.kill();
    await pause(0.3);
    await own.start();
    const stored = await Promise.all(receipts);
    expect(new Set(stored.map(({ sequence }) => sequence)).size).toBe(200);
    const events = await Promise.all(stored.map((receipt) => receipt.completed({ timeout: 30 })));
    expect(events.map(({ event_outcome: outcome }) => outcome)).toEqual(numbers.map(() => 'succeeded'));
    const ran = new Set(ranOf([worker]).map(({ ran: n }) => n));
    expect(ran.size).toBe(200);
  }, 40_000);

  test('queue - without the broker, enqueue ends in time, and repeating it stores the event once', async () => {
    const own = await NatsServer.start();
    onTestFinished(() => own[Symbol.asyncDispose]());
    const { jobs } = await setting({ servers: own.url });
    await own.kill();
    await pause(0.1);
    const event = new Step({ n: 1, key: 'a', act: 'go' });
    const error: unknown = await jobs.enqueue(event, { timeout: 0.3 }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'QueueUnavailableError', outcome: 'unknown', eventId: event.event_id });
    await own.start();
    const [first, second] = [await jobs.enqueue(event), await jobs.enqueue(event)];
    expect([first.sequence, second.sequence, second.duplicate]).toEqual([1, 1, true]);
  });
});
