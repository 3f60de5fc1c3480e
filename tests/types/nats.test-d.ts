import { BaseEvent, EventBus } from '@threadbus/core';
import {
  type ClusterLease,
  connectNats,
  isLinkLostError,
  type JoinedBus,
  type LinkStatus,
  type NatsNet,
  type NatsQueue,
  type Offer,
} from '@threadbus/nats';
import { retry, type SlotPool } from '@threadbus/semaphore';
import { WorkerBus } from '@threadbus/worker';
import { connect } from '@nats-io/transport-node';
import { expectTypeOf, test } from 'vitest';
import { z } from 'zod';

const Resize = BaseEvent.extend(
  'Resize',
  { image: z.string(), width: z.number().default(100) },
  { result: z.string(), idempotent: true },
);
const Crop = BaseEvent.extend('Crop', { image: z.string(), edge: z.number() }, { idempotent: true });
type Resize = InstanceType<typeof Resize>;

declare const net: NatsNet;

test('connectNats - takes servers and options of the client, or a connection', async () => {
  expectTypeOf(await connectNats({ namespace: 'shop' })).toEqualTypeOf<NatsNet>();
  await connectNats({ namespace: 'shop', servers: ['nats://a', 'nats://b'], connectTimeout: 3 });
  await connectNats({ namespace: 'shop', servers: 'tls://a', nats: { tls: { ca: 'pem' }, user: 'u', pass: 'p' } });
  await connectNats({ namespace: 'shop', connection: await connect({ servers: 'nats://a' }) });
  // @ts-expect-error -- without a namespace
  await connectNats({ servers: 'nats://a' });
  // @ts-expect-error -- no such option
  await connectNats({ namespace: 'shop', server: 'nats://a' });
  // @ts-expect-error -- no address
  await connectNats({ namespace: 'shop', servers: 4222 });
  // @ts-expect-error -- no connection
  await connectNats({ namespace: 'shop', connection: {} });
});

test('serve - takes buses of this thread and of others', async () => {
  const worker = await WorkerBus.start('./bus.js');
  expectTypeOf(await net.serve(new EventBus())).toEqualTypeOf<Offer>();
  await net.serve(worker, { replicas: true });
  // @ts-expect-error -- a function is no bus
  await net.serve(() => 1);
  // @ts-expect-error -- no flag
  await net.serve(new EventBus(), { replicas: 2 });
});

test('join - gives a bus whose events and results are typed as everywhere', async () => {
  const remote = await net.join(new EventBus(), 'Index', { unresponsiveTimeout: null, maxInFlight: 8, replica: 'id' });
  expectTypeOf(remote).toEqualTypeOf<JoinedBus>();
  expectTypeOf(remote.status).toEqualTypeOf<LinkStatus>();
  expectTypeOf(await remote.closed).toEqualTypeOf<Error | null>();
  expectTypeOf(remote.dispatch(new Resize({ image: 'a' })).eventResult()).toEqualTypeOf<Promise<string>>();
  expectTypeOf(remote.expect(Crop)).toEqualTypeOf<Promise<InstanceType<typeof Crop>>>();
  remote.on(Resize, ({ image }) => image);
  remote.onStatus((status) => void (status === 'suspect'));
  const error: unknown = await remote.closed;
  if (isLinkLostError(error)) expectTypeOf(error.outcome).toEqualTypeOf<'unsent' | 'unknown' | 'started' | null>();
  // @ts-expect-error -- a result of another type
  remote.on(Resize, () => 1);
  // @ts-expect-error -- no such status
  remote.onStatus((status) => void (status === 'down'));
  // @ts-expect-error -- a name
  await net.join(new EventBus(), 7);
  // @ts-expect-error -- the bus at this end
  await net.join('Index');
  // @ts-expect-error -- a bus of a remote end has no stop
  void remote.stop;
  // @ts-expect-error -- seconds
  await net.join(new EventBus(), 'Index', { unresponsiveTimeout: '30 s' });
});

test('queue - its events are those of its classes', async () => {
  const jobs = await net.queue('thumbs', { events: [Resize], key: ({ image }) => image, backoff: [1, 5] });
  expectTypeOf(jobs).toEqualTypeOf<NatsQueue<Resize>>();
  const receipt = await jobs.enqueue(new Resize({ image: 'a' }), { timeout: 3 });
  expectTypeOf(receipt.sequence).toBeNumber();
  expectTypeOf(receipt.duplicate).toBeBoolean();
  const event = await receipt.completed({ timeout: 60 });
  expectTypeOf(event).toEqualTypeOf<Resize>();
  expectTypeOf(event.eventResult()).toEqualTypeOf<Promise<string>>();
  for await (const dead of jobs.deadLetters({ follow: true, signal: AbortSignal.timeout(1) })) {
    expectTypeOf(dead.event.width).toBeNumber();
    expectTypeOf(dead.error).toEqualTypeOf<Error>();
  }
  for await (const past of jobs.replay({ since: { sequence: 3 }, reset: true }))
    expectTypeOf(past).toEqualTypeOf<Resize>();
  expectTypeOf(new Resize({ image: 'a' }).event_delivery?.count).toEqualTypeOf<number | undefined>();
  // @ts-expect-error -- an event of another class
  await jobs.enqueue(new Crop({ image: 'a', edge: 1 }));
  // @ts-expect-error -- what no class of it has
  await net.queue('thumbs', { events: [Resize], key: (job) => String(job.edge) });
  // @ts-expect-error -- neither text nor number
  await net.queue('thumbs', { events: [Resize], key: ({ image }) => ({ image }) });
  // @ts-expect-error -- without classes
  await net.queue('thumbs', {});
  // @ts-expect-error -- no class
  await net.queue('thumbs', { events: ['Resize'] });
  // @ts-expect-error -- seconds each
  await net.queue('thumbs', { events: [Resize], backoff: 5 });
  // @ts-expect-error -- neither a time nor a sequence
  jobs.replay({ since: 5 });
});

test('work - takes buses, here or joined', async () => {
  const jobs = await net.queue('thumbs', { events: [Resize, Crop], maxDeliver: 1 });
  const crew = jobs.work(new EventBus(), { concurrency: 8 });
  expectTypeOf(await crew.failed).toEqualTypeOf<Error | null>();
  jobs.work(await net.join(new EventBus(), 'Index'));
  await crew.close({ timeout: 5 });
  await jobs.enqueue(new Crop({ image: 'a', edge: 1 }));
  // @ts-expect-error -- a handler is no bus
  jobs.work(() => 'done');
  // @ts-expect-error -- a number
  jobs.work(new EventBus(), { concurrency: 'all' });
});

test('semaphore - gives leases with tokens, and is a pool for retry', async () => {
  const semaphore = net.semaphore('gpu', { limit: 2, lease: 15 });
  const lease = await semaphore.acquire({ timeout: 60 });
  expectTypeOf(lease).toEqualTypeOf<ClusterLease>();
  expectTypeOf(lease.token).toBeNumber();
  expectTypeOf(lease.signal).toEqualTypeOf<AbortSignal>();
  expectTypeOf(await semaphore.tryAcquire()).toEqualTypeOf<ClusterLease | null>();
  expectTypeOf(net.slots('gpu', { limit: 2 })).toExtend<SlotPool>();
  retry({ semaphorePool: net.slots('gpu', { limit: 2 }) })(async (n: number) => n);
  // @ts-expect-error -- without a limit
  net.semaphore('gpu', {});
  // @ts-expect-error -- a token is read-only
  lease.token = 1;
  // @ts-expect-error -- no such option
  await semaphore.acquire({ wait: 5 });
  // @ts-expect-error -- no pool
  retry({ semaphorePool: lease });
});
