import { isSemaphoreLimitError, Semaphore, type Lease } from '@threadbus/semaphore';
import { expect, test } from 'vitest';
import { settled } from '../gate.ts';

const caught = (promise: Promise<unknown>): Promise<unknown> => promise.then(String, (error: unknown) => error);

test('setLimit - up: who waits is served at once, in order', async () => {
  const semaphore = new Semaphore(1);
  const held = await semaphore.acquire();
  const order: number[] = [];
  const leases = [0, 1, 2].map(async (index) => {
    const lease = await semaphore.acquire();
    order.push(index);
    return lease;
  });
  await settled();
  expect(order).toEqual([]);
  semaphore.setLimit(3);
  await settled();
  expect([semaphore.limit, order]).toEqual([3, [0, 1]]);
  await held.release();
  for (const lease of await Promise.all(leases)) await lease.release();
});

test('setLimit - down: nobody loses a lease, and none is given until held and wanted fit', async () => {
  const semaphore = new Semaphore(3);
  const held = [await semaphore.acquire(), await semaphore.acquire(), await semaphore.acquire()];
  semaphore.setLimit(1);
  let next: Lease | undefined;
  const waiting = semaphore.acquire().then((lease) => (next = lease));
  for (const lease of held) {
    await settled();
    expect(next).toBeUndefined();
    expect(lease.signal.aborted).toBe(false);
    await lease.release();
  }
  await waiting;
  expect(await semaphore.tryAcquire()).toBeNull();
  await next?.release();
});

test('setLimit - a waiter that wants more than is left gets a SemaphoreLimitError at once, and holds up nobody', async () => {
  const semaphore = new Semaphore(3);
  const held = await semaphore.acquire({ permits: 2 });
  const big = caught(semaphore.acquire({ permits: 3 }));
  const small = semaphore.acquire({ permits: 1 });
  await settled();
  semaphore.setLimit(2);
  const error = await big;
  expect(isSemaphoreLimitError(error)).toBe(true);
  expect(error).toMatchObject({ limit: 3, existing: 2 });
  expect(String(error)).toMatch(/got 3 where setLimit\(\) has left 2/);
  await held.release();
  await (await small).release();
  await expect(semaphore.acquire({ permits: 3 })).rejects.toThrow(TypeError);
});

test('setLimit - down and up again: as many slots as before', async () => {
  const semaphore = new Semaphore(4);
  await (await semaphore.acquire({ permits: 4 })).release();
  semaphore.setLimit(1);
  await (await semaphore.acquire()).release();
  semaphore.setLimit(4);
  const lease = await semaphore.acquire({ permits: 4, timeout: 0 });
  expect((await semaphore.inspect()).holders.map(({ slot }) => slot)).toEqual([0, 1, 2, 3]);
  await lease.release();
});

test.each([0, -1, 1.5, Number.NaN, Infinity, '2' as never])('setLimit - %s is refused', (limit) => {
  const semaphore = new Semaphore(2);
  expect(() => semaphore.setLimit(limit)).toThrow(/Expected `limit` to be an integer >= 1/);
  expect(semaphore.limit).toBe(2);
});
