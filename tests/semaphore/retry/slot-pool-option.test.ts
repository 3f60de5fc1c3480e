import { mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  isSemaphoreLostError,
  isSemaphoreTimeoutError,
  MultiprocessSemaphore,
  retry,
  retryContext,
  Semaphore,
  type SlotPool,
} from '@threadbus/semaphore';
import { expect, test } from 'vitest';
import { Gauge, gate, settled } from '../gate.ts';
import { LogLines } from '../log-lines.ts';
import { temporaryDirectory, uniqueName } from '../temporary-directory.ts';

const quiet = { retries: 0, logger: new LogLines(), timeout: null } as const;

test('semaphorePool - the calls of all functions with the pool, and of those that hold a lease, share its limit', async () => {
  const pool = new Semaphore(2);
  const gauge = new Gauge();
  const work = async (): Promise<void> => {
    gauge.enter();
    for (let turn = 0; turn < 5; turn++) await settled();
    gauge.leave();
  };
  const [a, b] = [retry({ ...quiet, semaphorePool: pool })(work), retry({ ...quiet, semaphorePool: pool })(work)];
  await Promise.all([a(), a(), b(), b(), pool.acquire().then(async (lease) => work().then(() => lease.release()))]);
  expect(gauge).toMatchObject({ most: 2, total: 5 });
});

test("semaphorePool - a pool of someone else's, with `acquire` and a limit, does as well", async () => {
  const inner = new Semaphore(1);
  const pool: SlotPool = {
    name: 'theirs',
    limit: 1,
    acquire: (options) => inner.acquire(options),
    tryAcquire: (options) => inner.tryAcquire(options),
    inspect: () => inner.inspect(),
  };
  const hold = gate();
  const run = retry({ ...quiet, semaphorePool: pool, semaphoreTimeout: 0.02, semaphoreLax: false })(() => hold.opened);
  const first = run();
  const error: unknown = await run().catch((thrown: unknown) => thrown);
  expect(isSemaphoreTimeoutError(error)).toBe(true);
  expect(String(error)).toMatch(/"theirs"/);
  hold.open();
  await first;
});

test.each(['Semaphore', 'MultiprocessSemaphore', 'theirs'])(
  'semaphorePool - nested calls borrow by the pool: %s',
  async (kind) => {
    const options = { name: uniqueName(), limit: 1, directory: temporaryDirectory() };
    const own: SlotPool = kind === 'MultiprocessSemaphore' ? new MultiprocessSemaphore(options) : new Semaphore(1);
    const pool: SlotPool =
      kind === 'theirs'
        ? {
            name: 'theirs',
            limit: 1,
            acquire: (of) => own.acquire(of),
            tryAcquire: (of) => own.tryAcquire(of),
            inspect: () => own.inspect(),
          }
        : own;
    const wrap = retry({ ...quiet, semaphorePool: pool, semaphoreTimeout: 5, semaphoreLax: false });
    const inner = wrap(async () => retryContext().lease);
    // Another object for the same files is the same pool.
    const same = kind === 'MultiprocessSemaphore' ? new MultiprocessSemaphore(options) : pool;
    const other = retry({ ...quiet, semaphorePool: same, semaphoreTimeout: 5, semaphoreLax: false })(
      async () => retryContext().lease,
    );
    const found = await wrap(async () => [retryContext().lease, await inner(), await other()])();
    expect(new Set(found).size).toBe(1);
  },
);

test('a lost slot - the signal of the attempt aborts with it, and the next attempt takes another slot first', async () => {
  const options = { name: uniqueName(), limit: 1, directory: temporaryDirectory() };
  const pool = new MultiprocessSemaphore(options);
  const seen: unknown[] = [];
  const run = retry({ ...quiet, retries: 1, wait: 0, semaphorePool: pool, semaphoreTimeout: 10, semaphoreLax: false })(
    async () => {
      const { signal, lease, attempt } = retryContext();
      if (attempt === 1) {
        const lost = new Promise((resolve) => signal.addEventListener('abort', resolve));
        const away = join(options.directory, 'away');
        renameSync(String((await pool.inspect()).directory), away);
        rmSync(away, { recursive: true });
        await lost;
        seen.push(isSemaphoreLostError(signal.reason), lease?.signal.aborted);
        throw signal.reason;
      }
      seen.push(signal.aborted, lease?.signal.aborted, (await pool.inspect()).holders.length);
    },
  );
  await run();
  expect(seen).toEqual([true, true, false, false, 1]);
  await pool.drain({ timeout: 0 });
  mkdirSync(join(options.directory, 'x'));
  expect(readdirSync(options.directory)).toContain('x');
});
