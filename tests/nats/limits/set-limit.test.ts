import { describe, expect, test } from 'vitest';
import { hasServer } from '../helpers/nats-server.ts';
import { connected, newNamespace, sharedServer } from '../helpers/nets.ts';
import { Peer } from '../helpers/peer.ts';

describe.skipIf(!hasServer)('setLimit', () => {
  const server = sharedServer();
  const net = async (namespace = newNamespace()) => connected({ servers: server().url, namespace });

  test.each([
    ['the lowest slots', [0, 1, 2, 3]],
    ['the highest slots', [3, 2, 1, 0]],
    ['slots in the middle', [1, 3, 0, 2]],
  ])('setLimit - lowered below what is held nobody loses, and %s come free first', async (_which, order) => {
    const namespace = newNamespace();
    const [here, there] = [await net(namespace), await net(namespace)];
    const [one, other] = [here.semaphore('gpu', { limit: 2 }), there.semaphore('gpu', { limit: 2 })];
    await one.setLimit(4);
    const leases = [await one.acquire(), await other.acquire(), await one.acquire(), await other.acquire()];
    expect(leases.map(({ slot }) => slot)).toEqual([0, 1, 2, 3]);
    await other.setLimit(2);
    expect((await one.inspect()).holders).toHaveLength(4);
    const [first, second, third] = order as [number, number, number, number];
    await leases[first]?.release();
    expect(await one.tryAcquire()).toBeNull();
    await leases[second]?.release();
    expect(await other.tryAcquire()).toBeNull();
    await leases[third]?.release();
    const next = await one.acquire({ timeout: 5 });
    expect(next.slot).toBeLessThan(2);
    expect(await other.tryAcquire()).toBeNull();
    expect(leases.map(({ signal }) => signal.aborted)).toEqual([false, false, false, false]);
    await next.release();
  });

  test('setLimit - lowered and raised while many ask, never more are held than the highest limit, nor granted over it', async () => {
    const namespace = newNamespace();
    const nets = await Promise.all([1, 2, 3].map(() => net(namespace)));
    const all = nets.map((each) => each.semaphore('gpu', { limit: 4 }));
    await all[0]?.setLimit(1);
    let inside = 0;
    const most: number[] = [];
    await Promise.all(
      Array.from({ length: 24 }, async (_, n) => {
        const lease = await all[n % 3]?.acquire({ timeout: 20 });
        inside += 1;
        most.push(inside);
        await new Promise((resolve) => void setImmediate(resolve));
        inside -= 1;
        await lease?.release();
      }),
    );
    expect(Math.max(...most)).toBe(1);
  });

  test('setLimit - a holder above the limit that dies keeps no place for ever', async () => {
    const namespace = newNamespace();
    const semaphore = (await net(namespace)).semaphore('gpu', { limit: 2, lease: 1 });
    const held = await semaphore.acquire();
    const peer = await Peer.start(
      { servers: server().url, namespace, limit: 2, lease: 1, hold: 0 } as never,
      'nats/limit-holder',
    );
    await peer.says('held');
    await semaphore.setLimit(1);
    await held.release();
    expect(await semaphore.tryAcquire()).toBeNull();
    await peer.kill();
    await (await semaphore.acquire({ timeout: 5 })).release();
  });
});
