import { once } from 'node:events';
import {
  isSemaphoreLimitError,
  isSemaphoreLostError,
  isSemaphoreTimeoutError,
  isSemaphoreUnavailableError,
  retry,
  retryContext,
} from '@threadbus/semaphore';
import { connect } from '@nats-io/transport-node';
import { describe, expect, onTestFinished, test } from 'vitest';
import { rejection, stateOf } from '../../helpers/gate.ts';
import { hasServer, NatsServer } from '../helpers/nats-server.ts';
import { connected, newNamespace, sharedServer } from '../helpers/nets.ts';
import { Peer } from '../helpers/peer.ts';
import { Proxy } from '../helpers/proxy.ts';

const pause = (seconds: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, seconds * 1000));

describe.skipIf(!hasServer)('semaphore', () => {
  const server = sharedServer();
  const net = async (namespace = newNamespace()) => connected({ servers: server().url, namespace });

  test('semaphore - holds its limit over nets, and hands a slot on as soon as it is free', async () => {
    const namespace = newNamespace();
    const [here, there] = [await net(namespace), await net(namespace)];
    const [one, other] = [here.semaphore('gpu', { limit: 2 }), there.semaphore('gpu', { limit: 2 })];
    const first = await one.acquire();
    const second = await other.acquire({ timeout: 5 });
    expect(second.token).toBeGreaterThan(first.token);
    expect(Number.isSafeInteger(second.token)).toBe(true);
    expect(await other.tryAcquire()).toBeNull();
    expect(isSemaphoreTimeoutError(await rejection(one.acquire({ timeout: 0.05 })))).toBe(true);
    expect(isSemaphoreTimeoutError(await rejection(one.acquire({ timeout: 0 })))).toBe(true);
    const third = other.acquire({ timeout: 5 });
    expect(await stateOf(third)).toBe('pending');
    const from = performance.now();
    await first.release();
    const lease = await third;
    expect(performance.now() - from).toBeLessThan(1500);
    expect(lease.token).toBeGreaterThan(second.token);
    const report = await one.inspect();
    expect(report).toMatchObject({ name: 'gpu', scope: 'cluster', limit: 2, directory: null });
    expect(report.holders.map(({ pid, slot }) => [pid, slot])).toEqual([
      [null, 0],
      [null, 1],
    ]);
    await Promise.all([second.release(), lease.release(), lease.release()]);
    expect((await one.inspect()).holders).toEqual([]);
  });

  test('semaphore - a closed net says so at once', async () => {
    const closed = await net();
    const semaphore = closed.semaphore('gpu', { limit: 1 });
    await closed.close();
    for (const call of [semaphore.acquire(), semaphore.tryAcquire(), semaphore.setLimit(2), semaphore.inspect()]) {
      expect((await rejection(call)).message).toContain('its net is closed');
    }
  });

  test('semaphore - calls of one process are served in order, and one that gives up leaves the line', async () => {
    const semaphore = (await net()).semaphore('gpu', { limit: 1 });
    const held = await semaphore.acquire();
    const order: string[] = [];
    const ending = new AbortController();
    const calls = ['a', 'b', 'c'].map(async (name) => {
      const lease = await semaphore.acquire({ timeout: 5, ...(name === 'b' && { signal: ending.signal }) });
      order.push(name);
      await lease.release();
    });
    const given = rejection(calls[1] as Promise<void>);
    ending.abort(new Error('enough'));
    expect((await given).message).toBe('enough');
    await held.release();
    await Promise.all([calls[0], calls[2]]);
    expect(order).toEqual(['a', 'c']);
  });

  test('semaphore - limit and lease are one everywhere, until setLimit', async () => {
    const namespace = newNamespace();
    const [here, there] = [await net(namespace), await net(namespace)];
    const one = here.semaphore('gpu', { limit: 1 });
    const first = await one.acquire();
    expect(isSemaphoreLimitError(await rejection(there.semaphore('gpu', { limit: 3 }).acquire()))).toBe(true);
    expect(isSemaphoreLimitError(await rejection(there.semaphore('gpu', { limit: 1, lease: 5 }).acquire()))).toBe(true);
    const waiting = there.semaphore('gpu', { limit: 1 }).acquire({ timeout: 5 });
    await one.setLimit(2);
    await (await waiting).release();
    expect(one.limit).toBe(2);
    await first.release();
    expect(() => here.semaphore('gpu', { limit: 0 })).toThrow('limit');
    expect(() => here.semaphore('gpu', { limit: 1, lease: 0.5 })).toThrow('from 1 up');
    expect((await rejection(one.acquire({ permits: 2 }))).message).toContain('permits to be 1');
  });

  test('semaphore - is a pool for retry, whose attempts know their lease', async () => {
    const slots = (await net()).slots('gpu', { limit: 2 });
    let most = 0;
    let running = 0;
    const tokens: unknown[] = [];
    const work = retry({ semaphorePool: slots, semaphoreLax: false, semaphoreTimeout: 10 })(async function work() {
      running += 1;
      most = Math.max(most, running);
      tokens.push((retryContext() as { lease?: { token?: number } }).lease?.token);
      await pause(0.02);
      running -= 1;
    });
    await Promise.all(Array.from({ length: 6 }, () => work()));
    expect(most).toBe(2);
    expect(tokens.map(Number.isSafeInteger)).toEqual([true, true, true, true, true, true]);
  });

  test.each(['SIGKILL', 'SIGSTOP'] as const)(
    'semaphore - %s of a holder frees its slot after the lease',
    async (signal) => {
      const namespace = newNamespace();
      const plan = { servers: server().url, namespace, limit: 1, lease: 1, hold: 0 };
      const peer = await Peer.start(plan, 'nats/limit-holder');
      const { held } = await peer.says('held');
      const semaphore = (await net(namespace)).semaphore('gpu', { limit: 1, lease: 1 });
      expect(isSemaphoreTimeoutError(await rejection(semaphore.acquire({ timeout: 1.5 })))).toBe(true);
      peer.child.kill(signal);
      const lease = await semaphore.acquire({ timeout: 5 });
      expect(lease.token).toBeGreaterThan(held as number);
      peer.signal('SIGCONT');
      // One that goes on learns that its slot is gone.
      const learned = signal === 'SIGKILL' ? true : (await peer.says('lease'))['knew'];
      expect(learned).toBe(true);
      await lease.release();
    },
  );

  test('semaphore - without the store nothing is granted, and what is held is lost after the lease', async () => {
    const own = await NatsServer.start();
    onTestFinished(() => own[Symbol.asyncDispose]());
    const here = await connected({ servers: own.url, namespace: newNamespace() });
    const semaphore = here.semaphore('gpu', { limit: 2, lease: 1 });
    const [kept, given] = [await semaphore.acquire(), await semaphore.acquire()];
    await own.kill();
    await pause(0.1);
    const from = performance.now();
    expect(isSemaphoreUnavailableError(await rejection(semaphore.acquire({ timeout: 0.3 })))).toBe(true);
    await given.release();
    expect(performance.now() - from).toBeLessThan(1500);
    await once(kept.signal, 'abort');
    expect(isSemaphoreLostError(kept.signal.reason)).toBe(true);
    await kept.release();
    await own.start();
    const again = await semaphore.acquire({ timeout: 10 });
    expect(again.token).toBeGreaterThan(given.token);
    await again.release();
  });

  test('semaphore - a slot whose giving back was lost on its way is given back again, long before the lease is over', async () => {
    const namespace = newNamespace();
    const proxy = await Proxy.to(server().port);
    const near = await connected({ servers: proxy.url, namespace });
    const [one, other] = [near, await net(namespace)].map((each) => each.semaphore('gpu', { limit: 1, lease: 60 }));
    const lease = await one?.acquire();
    proxy.cut();
    const released = lease?.release();
    // What was said is on the wire, which goes with it.
    await pause(0.1);
    proxy.drop();
    proxy.mend();
    await released;
    const next = await other?.acquire({ timeout: 15 });
    expect(next?.token).toBeGreaterThan(lease?.token as number);
    await next?.release();
  });

  test('semaphore - a store that has forgotten it is noticed, until it is reset', async () => {
    const namespace = newNamespace();
    const here = await net(namespace);
    const semaphore = here.semaphore('gpu', { limit: 1, lease: 1 });
    const held = await semaphore.acquire();
    const direct = await connect({ servers: server().url });
    await direct.request(`$JS.API.STREAM.DELETE.KV_${namespace}_limits`);
    await direct.close();
    await once(held.signal, 'abort');
    const error = await rejection(semaphore.acquire({ timeout: 1 }));
    expect(isSemaphoreUnavailableError(error)).toBe(true);
    expect(error.message).toContain('was replaced');
    here.resetSemaphore('gpu');
    await (await semaphore.acquire({ timeout: 1 })).release();
  });
});
