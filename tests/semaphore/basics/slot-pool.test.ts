import {
  isSemaphoreTimeoutError,
  MultiprocessSemaphore,
  Semaphore,
  type Lease,
  type SlotPool,
} from '@threadbus/semaphore';
import { getEventListeners } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SharedSlots } from '../../../packages/semaphore/dist/shared/shared-slots.js';
import { Gauge, gate, settled } from '../gate.ts';
import { temporaryDirectory, uniqueName } from '../temporary-directory.ts';

// What every slot pool does, wherever its slots are kept.

interface Kind {
  readonly scope: 'local' | 'global' | 'multiprocess';
  readonly create: (limit: number) => SlotPool;
}

const kinds: Kind[] = [
  { scope: 'local', create: (limit) => new Semaphore(limit) },
  { scope: 'global', create: (limit) => new SharedSlots('pool', uniqueName(), limit) },
  {
    scope: 'multiprocess',
    create: (limit) => new MultiprocessSemaphore({ name: uniqueName(), limit, directory: temporaryDirectory() }),
  },
];

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe.each(kinds)('slot pool ($scope)', ({ scope, create }) => {
  test('never more than `limit` hold, and everyone gets a turn', async () => {
    const pool = create(3);
    const gauge = new Gauge();
    await Promise.all(
      Array.from({ length: 40 }, async () => {
        const lease = await pool.acquire();
        gauge.enter();
        await settled();
        gauge.leave();
        await lease.release();
      }),
    );
    expect(gauge).toMatchObject({ now: 0, most: 3, total: 40 });
  });

  test('waiters are served first come, first served', async () => {
    const pool = create(1);
    const order: number[] = [];
    const first = await pool.acquire();
    const others = Array.from({ length: 10 }, async (_, index) => {
      const lease = await pool.acquire();
      order.push(index);
      await lease.release();
    });
    await settled();
    await first.release();
    await Promise.all(others);
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  test('timeout: 0 looks once', async () => {
    const pool = create(1);
    const lease = await pool.acquire({ timeout: 0 });
    await expect(pool.acquire({ timeout: 0 })).rejects.toSatisfy(isSemaphoreTimeoutError);
    await lease.release();
    await (await pool.acquire({ timeout: 0 })).release();
  });

  test('a wait ends after its timeout, with an error that knows the semaphore', async () => {
    const pool = create(1);
    const lease = await pool.acquire();
    const started = performance.now();
    const error = await caught(pool.acquire({ timeout: 0.05 }));
    expect(performance.now() - started).toBeGreaterThanOrEqual(49);
    expect(error).toMatchObject({
      name: 'SemaphoreTimeoutError',
      code: 'ERR_SEMAPHORE_TIMEOUT',
      semaphore: pool.name,
      limit: 1,
      timeout: 0.05,
      scope,
    });
    expect(String(error)).toMatch(/Failed to acquire (multiprocess )?semaphore ".*" within 0\.05s \(limit=1\)/);
    await lease.release();
  });

  test.each([-1, Number.NaN, '1' as never])('timeout: %s is refused', async (timeout) => {
    await expect(create(1).acquire({ timeout })).rejects.toThrow(/Expected `timeout` to be a number of seconds >= 0/);
  });

  test.each([null, Infinity, 1e10])('timeout: %s waits for as long as it takes', async (timeout) => {
    const pool = create(1);
    const lease = await pool.acquire();
    const other = pool.acquire({ timeout });
    await settled();
    await lease.release();
    expect((await other).signal.aborted).toBe(false);
    await (await other).release();
  });

  test("an abort ends the wait with the signal's reason", async () => {
    const pool = create(1);
    const lease = await pool.acquire();
    const controller = new AbortController();
    const waiting = caught(pool.acquire({ signal: controller.signal }));
    await settled();
    const reason = new Error('no longer needed');
    controller.abort(reason);
    expect(await waiting).toBe(reason);
    await lease.release();
  });

  test('a signal that has aborted already takes no slot', async () => {
    const pool = create(1);
    await expect(pool.acquire({ signal: AbortSignal.abort(new Error('early')) })).rejects.toThrow('early');
    expect((await pool.inspect()).holders).toEqual([]);
  });

  test('an abort while the slot is being taken leaks none', async () => {
    const pool = create(1);
    const controller = new AbortController();
    const taking = pool.acquire({ signal: controller.signal });
    controller.abort(new Error('changed my mind'));
    const outcome = await caught(taking.then((lease) => lease.release()));
    expect([undefined, 'changed my mind']).toContain((outcome as Error | undefined)?.message);
    await (await pool.acquire({ timeout: 1 })).release();
  });

  test('waiters that timed out or were aborted never take a slot later', async () => {
    const pool = create(2);
    const held = [await pool.acquire(), await pool.acquire()];
    const controller = new AbortController();
    const gone = [
      ...Array.from({ length: 5 }, () => caught(pool.acquire({ timeout: 0.02 }))),
      ...Array.from({ length: 5 }, () => caught(pool.acquire({ signal: controller.signal }))),
    ];
    await Promise.all(gone.slice(0, 5));
    controller.abort(new Error('gone'));
    await Promise.all(gone);
    await Promise.all(held.map((lease) => lease.release()));
    const again = [await pool.acquire({ timeout: 1 }), await pool.acquire({ timeout: 1 })];
    expect((await pool.inspect()).holders).toHaveLength(2);
    expect((await pool.inspect()).waiters).toHaveLength(0);
    await Promise.all(again.map((lease) => lease.release()));
  });

  test('a waiter that leaves lets the next one through', async () => {
    const pool = create(1);
    const lease = await pool.acquire();
    const controller = new AbortController();
    // Granted or aborted, whichever it hears of first.
    const first = caught(pool.acquire({ signal: controller.signal }).then((granted) => granted.release()));
    const second = pool.acquire();
    await settled();
    const release = lease.release();
    controller.abort(new Error('left'));
    await Promise.all([release, first]);
    expect((await second).signal.aborted).toBe(false);
    await (await second).release();
  }, 5000);

  test('release() twice gives back one slot', async () => {
    const pool = create(2);
    const [one, two] = [await pool.acquire(), await pool.acquire()];
    await one.release();
    await one.release();
    const three = await pool.acquire({ timeout: 1 });
    await expect(pool.acquire({ timeout: 0 })).rejects.toSatisfy(isSemaphoreTimeoutError);
    await Promise.all([two.release(), three.release()]);
  });

  test('`await using` gives the slot back', async () => {
    const pool = create(1);
    const opened = gate();
    const work = (async () => {
      await using lease = await pool.acquire();
      await opened.opened;
      return lease.signal.aborted;
    })();
    opened.open();
    expect(await work).toBe(false);
    await (await pool.acquire({ timeout: 1 })).release();
  });

  test('inspect() tells who holds, and that someone waits', async () => {
    const pool = create(2);
    const self = { pid: process.pid, threadId: 0, state: 'alive' };
    expect(await pool.inspect()).toMatchObject({ name: pool.name, scope, limit: 2, holders: [], waiters: [] });
    const held: Lease[] = [await pool.acquire(), await pool.acquire()];
    const waiting = pool.acquire();
    await settled();
    const report = await pool.inspect();
    expect(report.holders.map(({ slot }) => slot)).toEqual([0, 1]);
    expect(report.holders).toMatchObject([self, self]);
    const since = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/) as string;
    expect(report.holders).toEqual([0, 1].map((slot) => ({ slot, ...self, since })));
    expect(report.waiters).toEqual([{ ...self, since, permits: 1 }]);
    await held[0]?.release();
    held.push(await waiting);
    await Promise.all(held.map((lease) => lease.release()));
    expect(await pool.inspect()).toMatchObject({ holders: [], waiters: [] });
  });

  test('permits: all or nothing, one release gives all of them back', async () => {
    const pool = create(3);
    const two = await pool.acquire({ permits: 2 });
    expect((await pool.inspect()).holders.map(({ slot }) => slot)).toHaveLength(2);
    const waiting = pool.acquire({ permits: 2 });
    await settled();
    expect(await pool.inspect()).toMatchObject({ waiters: [{ permits: 2 }] });
    // One slot is free, which the waiter may have reserved: it is no holder for that.
    expect((await pool.inspect()).holders).toHaveLength(2);
    await two.release();
    const second = await waiting;
    expect((await pool.inspect()).holders).toHaveLength(2);
    await second.release();
    await (await pool.acquire({ permits: 3, timeout: 0 })).release();
  });

  test('permits: strictly first come, first served; when a big one leaves, the next is looked at at once', async () => {
    const pool = create(3);
    const held = await pool.acquire({ permits: 2 });
    const order: string[] = [];
    const controller = new AbortController();
    const take = async (name: string, permits: number, signal?: AbortSignal): Promise<Lease> => {
      const lease = await pool.acquire({ permits, signal });
      order.push(name);
      return lease;
    };
    const big = take('big', 3);
    const leaving = caught(take('leaving', 2, controller.signal));
    const small = [take('small 1', 1), take('small 2', 1)];
    await settled();
    // One slot is free, and nobody overtakes.
    expect(await pool.tryAcquire()).toBeNull();
    await expect(pool.acquire({ timeout: 0 })).rejects.toSatisfy(isSemaphoreTimeoutError);
    expect((await pool.inspect()).waiters.map(({ permits }) => permits)).toEqual([3, 2, 1, 1]);
    await held.release();
    const lease = await big;
    controller.abort(new Error('left'));
    await leaving;
    expect(order).toEqual(['big']);
    await lease.release();
    for (const one of await Promise.all(small)) await one.release();
    expect(order).toEqual(['big', 'small 1', 'small 2']);
  });

  test.each([0, -1, 1.5, 4, Number.NaN, '1' as never])('permits: %s of 3 are refused at once', async (permits) => {
    const pool = create(3);
    await expect(pool.acquire({ permits })).rejects.toThrow(
      /Expected `permits` to be an integer from 1 to the limit of 3/,
    );
    await expect(pool.tryAcquire({ permits })).rejects.toThrow(TypeError);
  });

  test('tryAcquire() gives a lease or null', async () => {
    const pool = create(2);
    const first = await pool.tryAcquire();
    expect(await pool.tryAcquire({ permits: 2 })).toBeNull();
    const second = await pool.tryAcquire();
    expect(second).not.toBeNull();
    expect(await pool.tryAcquire()).toBeNull();
    await first?.release();
    await second?.release();
    await (await pool.tryAcquire({ permits: 2 }))?.release();
    expect((await pool.inspect()).holders).toEqual([]);
  });

  test('an option that there is not is refused, with what was meant', async () => {
    const pool = create(1);
    await expect(pool.acquire({ timeuot: 1 } as never)).rejects.toThrow('Did you mean `timeout`?');
    await expect(pool.acquire({ signal: {} } as never)).rejects.toThrow(/`signal` to be an AbortSignal/);
    await expect(pool.acquire(5 as never)).rejects.toThrow(TypeError);
    await expect(pool.tryAcquire({ timeout: 1 } as never)).rejects.toThrow(/There are: permits/);
    expect((await pool.inspect()).holders).toEqual([]);
  });

  test('1,000 calls on one signal: no warning of a leak, and no listener left', async () => {
    const warnings: Error[] = [];
    const warned = (warning: Error): void => void warnings.push(warning);
    process.on('warning', warned);
    onTestFinished(() => void process.off('warning', warned));
    const pool = create(1);
    const lease = await pool.acquire();
    const [kept, aborted] = [new AbortController(), new AbortController()];
    const granted = Array.from({ length: 100 }, () => pool.acquire({ signal: kept.signal }));
    const left = Array.from({ length: 900 }, () => caught(pool.acquire({ signal: aborted.signal })));
    await settled();
    expect(getEventListeners(kept.signal, 'abort')).toHaveLength(1);
    aborted.abort(new Error('enough'));
    expect(new Set(await Promise.all(left))).toEqual(new Set([new Error('enough')]));
    await lease.release();
    for (const one of granted) await (await one).release();
    expect([kept, aborted].map(({ signal }) => getEventListeners(signal, 'abort'))).toEqual([[], []]);
    await settled();
    expect(warnings).toEqual([]);
  });
});

const drains = kinds.filter(({ scope }) => scope !== 'global') as {
  scope: string;
  create: (limit: number) => Semaphore | MultiprocessSemaphore;
}[];

describe.each(drains)('drain ($scope)', ({ create }) => {
  test('settles when no lease is held and nobody waits; it takes nothing', async () => {
    const pool = create(1);
    await pool.drain();
    const first = await pool.acquire();
    const second = pool.acquire();
    const gone = caught(pool.acquire({ timeout: 0.02 }));
    let drained = false;
    const draining = pool.drain({ timeout: 10 }).then(() => (drained = true));
    await first.release();
    const lease = await second;
    await gone;
    expect(drained).toBe(false);
    await lease.release();
    await draining;
    await (await pool.acquire({ timeout: 0 })).release();
  });

  test('ends by its timeout and by its signal', async () => {
    const pool = create(1);
    const lease = await pool.acquire();
    const error = await caught(pool.drain({ timeout: 0.02 }));
    expect(isSemaphoreTimeoutError(error)).toBe(true);
    expect(String(error)).toMatch(/Failed to drain .* within 0\.02s/);
    await expect(pool.drain({ timeout: 0 })).rejects.toSatisfy(isSemaphoreTimeoutError);
    const controller = new AbortController();
    const draining = caught(pool.drain({ signal: controller.signal }));
    controller.abort(new Error('stop'));
    expect(await draining).toEqual(new Error('stop'));
    await expect(pool.drain({ timeuot: 1 } as never)).rejects.toThrow('Did you mean `timeout`?');
    await lease.release();
  });
});

test('drain - of a multiprocess semaphore only what its own object gave out counts', async () => {
  const options = { name: uniqueName(), limit: 2, directory: temporaryDirectory() };
  const [one, other] = [new MultiprocessSemaphore(options), new MultiprocessSemaphore(options)];
  const lease = await other.acquire();
  await one.drain({ timeout: 0 });
  await expect(other.drain({ timeout: 0 })).rejects.toSatisfy(isSemaphoreTimeoutError);
  await lease.release();
  await other.drain({ timeout: 0 });
});

test.each([0, -1, 1.5, Number.NaN, Infinity, '2' as never])('Semaphore - a limit of %s is refused', (limit) => {
  expect(() => new Semaphore(limit)).toThrow(/Expected `limit` to be an integer >= 1/);
  expect(() => new MultiprocessSemaphore({ name: 'n', limit })).toThrow(/Expected `limit` to be an integer >= 1/);
});
