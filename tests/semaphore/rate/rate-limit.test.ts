import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  isSemaphoreLimitError,
  isSemaphoreTimeoutError,
  retry,
  retryAttempts,
  retryContext,
  type RetryOptions,
} from '@threadbus/semaphore';
import { expect, onTestFinished, test } from 'vitest';
import type { RateConfig } from '../../fixtures/semaphore/rate-starts.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { gate, settled } from '../gate.ts';
import { LogLines } from '../log-lines.ts';
import { temporaryDirectory, uniqueName } from '../temporary-directory.ts';

const scopes = ['self', 'class', 'global', 'multiprocess'] as const;

const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** How much earlier than allowed a start was: of every `limit + 1` in a row the first and the last are a window apart. */
function earliest(starts: readonly number[], limit: number, intervalMs: number): number {
  const ordered = [...starts];
  ordered.sort((a, b) => a - b);
  return Math.max(0, ...ordered.slice(limit).map((start, i) => (ordered[i] ?? 0) + intervalMs - start));
}

/** What lies between the moment at which a start is granted and the one at which the function looks at the clock. */
const SLACK_MS = 60;

function options(semaphoreScope: (typeof scopes)[number], limit: number, interval: number) {
  return {
    retries: 0,
    timeout: null,
    logger: new LogLines(),
    semaphoreScope,
    semaphoreName: uniqueName(),
    semaphoreDirectory: temporaryDirectory(),
    rateLimit: { limit, interval },
  } satisfies RetryOptions;
}

/** A method, so that there is a `this`. */
function counted(of: RetryOptions) {
  const starts: number[] = [];
  const order: number[] = [];
  const owner = {
    run: retry(of)(async function run(this: unknown, index: number, ending: { readonly signal?: AbortSignal }) {
      ending.signal?.throwIfAborted();
      starts.push(machineMs());
      order.push(index);
    }),
  };
  return { starts, order, run: (index: number, ending = {}) => owner.run(index, ending) };
}

test.each(scopes)(
  'rate limit - never more than so many starts in any window, first come, first served: %s',
  async (of) => {
    const { starts, order, run } = counted(options(of, 3, 0.15));
    await Promise.all(Array.from({ length: 10 }, (_, index) => run(index)));
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(earliest(starts, 3, 150)).toBeLessThan(SLACK_MS);
    // It does not wait for longer than it has to, either: three at once, and again when the window is over.
    expect(Number(starts[9]) - Number(starts[0])).toBeLessThan(450 + 2000);
    expect(Number(starts[2]) - Number(starts[0])).toBeLessThan(150);
  },
);

test.each(scopes)('rate limit - the window slides: late starts are not followed by a double burst: %s', async (of) => {
  const { starts, run } = counted(options(of, 2, 0.2));
  await run(0);
  await new Promise((resolve) => setTimeout(resolve, 150));
  await Promise.all([1, 2, 3, 4].map((index) => run(index)));
  expect(earliest(starts, 2, 200)).toBeLessThan(SLACK_MS);
});

test('rate limit - every attempt counts, and its timeout begins with its start', async () => {
  const starts: number[] = [];
  const run = retry({
    ...options('global', 1, 0.15),
    retries: 2,
    wait: 0,
    timeout: 0.1,
  })(async () => {
    starts.push(machineMs());
    if (retryContext().attempt < 3) throw new Error('again');
    return 'done';
  });
  expect(await run()).toBe('done');
  expect(earliest(starts, 1, 150)).toBeLessThan(SLACK_MS);
});

test.each(scopes)('rate limit - who leaves takes no start, and those behind move up: %s', async (of) => {
  const { starts, order, run } = counted(options(of, 1, 0.75));
  const controller = new AbortController();
  const aborted: unknown[] = [];
  const leaving = (index: number): Promise<unknown> =>
    run(index, controller).catch((error: unknown) => aborted.push(error));
  await run(0);
  const all = [leaving(1), leaving(2), run(3)];
  await settled();
  controller.abort(new Error('left'));
  await Promise.all(all);
  expect(aborted).toEqual([new Error('left'), new Error('left')]);
  expect(order).toEqual([0, 3]);
  expect(Number(starts[1]) - Number(starts[0])).toBeLessThan(750 * 2);
});

test('rate limit - the slot is taken first, and held while the call waits for its start', async () => {
  const seen: unknown[] = [];
  const run = retry({ ...options('global', 1, 0.1), semaphoreLimit: 1, semaphoreLax: false, semaphoreTimeout: 10 })(
    async (index: number) => {
      seen.push(index, retryContext().lease !== null);
    },
  );
  await Promise.all([run(1), run(2), run(3)]);
  expect(seen).toEqual([1, true, 2, true, 3, true]);
});

test('rate limit - a lax call without a slot obeys the rate all the same, and semaphoreTimeout does not end the wait', async () => {
  const starts: number[] = [];
  const hold = gate();
  const of = { ...options('global', 1, 0.15), semaphoreLimit: 1, semaphoreTimeout: 0.01 };
  const run = retry(of)(async (wait: Promise<void> | undefined) => {
    starts.push(machineMs());
    await wait;
  });
  const first = run(hold.opened);
  await Promise.all([run(undefined), run(undefined)]);
  expect(starts).toHaveLength(3);
  expect(earliest(starts, 1, 150)).toBeLessThan(SLACK_MS);
  hold.open();
  await first;
});

test('rate limit - totalTimeout ends the wait for a start: SemaphoreTimeoutError, and the start is free', async () => {
  const { order, run } = counted({ ...options('global', 1, 30), totalTimeout: 0.05 });
  await run(0);
  const error: unknown = await run(1).catch((thrown: unknown) => thrown);
  expect(isSemaphoreTimeoutError(error)).toBe(true);
  expect(error).toMatchObject({ timeout: 0.05, limit: 1 });
  expect(String(error)).toMatch(/under its rate limit/);
  expect([order, retryAttempts(error)]).toEqual([[0], 0]);
});

test('rate limit - totalTimeout while a further attempt waits for its start: the error before it', async () => {
  const failure = new Error('failed');
  const run = retry({ ...options('global', 1, 30), retries: 3, wait: 0, totalTimeout: 0.05 })(async () => {
    throw failure;
  });
  await expect(run()).rejects.toBe(failure);
  expect(retryAttempts(failure)).toBe(1);
});

test.each(scopes)('rate limit - another rate under one name is an error that names both: %s', async (of) => {
  const one = options(of, 2, 1);
  const owner = {
    first: retry(one)(async function first(this: unknown) {}),
    other: retry({ ...one, rateLimit: { limit: 3, interval: 1 } })(async function other(this: unknown) {}),
    slower: retry({ ...one, rateLimit: { limit: 2, interval: 5 } })(async function slower(this: unknown) {}),
  };
  await owner.first();
  for (const call of [() => owner.other(), () => owner.slower()]) {
    const error: unknown = await call().catch((thrown: unknown) => thrown);
    expect(isSemaphoreLimitError(error)).toBe(true);
    expect(String(error)).toMatch(/got (3 per 1s|2 per 5s) where it is in use with 2 per 1s/);
  }
});

test('rate limit - names rate and semaphore alike, whose counts are apart; a name function gives each its own', async () => {
  const starts = new Map<string, number[]>();
  const of = { ...options('global', 1, 0.15), semaphoreName: (user: string) => `rate of ${user}` };
  const run = retry({ ...of, semaphoreLimit: 5 })(async (user: string) => {
    starts.set(user, [...(starts.get(user) ?? []), machineMs()]);
  });
  await Promise.all(['a', 'b', 'a', 'b'].map((user) => run(user)));
  for (const user of ['a', 'b']) expect(earliest(starts.get(user) ?? [], 1, 150)).toBeLessThan(SLACK_MS);
  expect(Number(starts.get('b')?.[0]) - Number(starts.get('a')?.[0])).toBeLessThan(150);
});

async function starting(config: RateConfig): Promise<{ child: ChildProcess; starts: number[] }> {
  const child = fork(fixtureUrl('semaphore/rate-starts'), [JSON.stringify(config)]);
  onTestFinished(() => void child.kill('SIGKILL'));
  const starts: number[] = [];
  child.on('message', (at: number | 'ready') => {
    if (at !== 'ready') starts.push(at);
  });
  await once(child, 'message');
  return { child, starts };
}

async function reached(all: readonly { child: ChildProcess; starts: number[] }[], count: number): Promise<number[]> {
  for (;;) {
    const starts = all.flatMap((one) => one.starts);
    if (starts.length >= count) return starts;
    await new Promise<void>((resolve) => {
      const told = (): void => {
        for (const { child } of all) child.off('message', told);
        resolve();
      };
      for (const { child } of all) child.on('message', told);
    });
  }
}

test('rate limit - processes share it, and one that was killed and started again gets no burst', async () => {
  const config = { name: uniqueName(), directory: temporaryDirectory(), limit: 4, interval: 0.4, threads: 0 };
  const [one, other] = [await starting(config), await starting(config)];
  for (const { child } of [one, other]) child.send('go');
  await reached([one, other], 6);
  one.child.kill('SIGKILL');
  const again = await starting(config);
  again.child.send('go');
  const starts = await reached([one, other, again], 20);
  expect(earliest(starts, 4, 400)).toBeLessThan(SLACK_MS);
  expect(again.starts.length).toBeGreaterThan(0);
});

test('rate limit - threads share it, also over the end of one of them', async () => {
  const config = { name: uniqueName(), directory: temporaryDirectory(), limit: 4, interval: 0.4, threads: 3 };
  const one = await starting(config);
  one.child.send('go');
  expect(earliest(await reached([one], 20), 4, 400)).toBeLessThan(SLACK_MS);
});

test.each([
  ['in the future', (now: number) => now + 3.6e9],
  ['far in the past', () => 1],
])('rate limit - a start that is dated %s counts as now at most', async (_, date) => {
  const of = options('multiprocess', 1, 0.2);
  const { starts, run } = counted(of);
  await run(0);
  const [record = ''] = readdirSync(of.semaphoreDirectory).filter((name) => name.endsWith('.rate'));
  const file = join(of.semaphoreDirectory, record);
  const numbers = new Float64Array(new Uint8Array(readFileSync(file)).buffer);
  numbers[5] = date(numbers[5] ?? 0);
  writeFileSync(file, new Uint8Array(numbers.buffer));
  await run(1);
  expect(Number(starts[1]) - Number(starts[0])).toBeLessThan(2000);
});

test.each(['terminated', 'by itself'])(
  'rate limit - a process keeps it when all threads that used it have ended: %s',
  async (end) => {
    const [limit, interval] = [3, 0.5];
    const config = { limit, interval, starts: limit, end };
    const child = fork(fixtureUrl('semaphore/rate-over-ends'), [JSON.stringify(config)]);
    onTestFinished(() => void child.kill('SIGKILL'));
    const told: (number | number[])[] = [];
    child.on('message', (message: number | number[]) => void told.push(message));
    const [code] = (await once(child, 'exit')) as [number];
    const flags = told.pop();
    expect(code).toBe(0);
    expect(told).toHaveLength(3);
    expect(earliest(told.flat(), limit, interval * 1000)).toBeLessThan(SLACK_MS);
    // What tells so is one file, however many they were.
    expect(flags).toBe(1);
  },
);

test('rate limit - a process keeps it when two threads look for what a killed one had at one moment', async () => {
  // Longer than two threads take to start.
  const [limit, interval] = [2, 4];
  const child = fork(fixtureUrl('semaphore/rate-at-one-moment'), [JSON.stringify({ limit, interval })]);
  onTestFinished(() => void child.kill('SIGKILL'));
  const told: number[][] = [];
  child.on('message', (message: number[]) => void told.push(message));
  const [code] = (await once(child, 'exit')) as [number];
  const met = told.pop();
  expect(code).toBe(0);
  expect(met).toEqual([2, 2]);
  expect(told).toHaveLength(3);
  expect(earliest(told.flat(), limit, interval * 1000)).toBeLessThan(SLACK_MS);
});
