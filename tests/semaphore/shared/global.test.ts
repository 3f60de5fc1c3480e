import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { inspect, retry } from '@threadbus/semaphore';
import { Piscina } from 'piscina';
import { expect, onTestFinished, test } from 'vitest';
import type { CountConfig } from '../../fixtures/semaphore/count-global.ts';
import type { Report } from '../../fixtures/semaphore/hold-slot.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { gate, settled } from '../gate.ts';
import { Holder } from '../holder.ts';
import { fixturesForAll, whyNoOtherUser } from '../other-user.ts';
import { uniqueName } from '../temporary-directory.ts';

const counting = () => new Int32Array(new SharedArrayBuffer(12));

async function inOwnProcess(
  scenario: string,
  env: Record<string, string> = {},
  fixtures = dirname(fileURLToPath(fixtureUrl('semaphore/global-in-process'))),
): Promise<unknown> {
  const file = join(fixtures, 'global-in-process.js');
  const { stdout } = await promisify(execFile)(process.execPath, [file, scenario], { env: { ...process.env, ...env } });
  return JSON.parse(stdout);
}

/** Uses a semaphore on this thread, so that it has the state that all threads share. */
const touch = (): Promise<void> => retry({ semaphoreLimit: 1 })(async () => {})();

test('global - main thread and workers share the limit', async () => {
  const counts = counting();
  const config = { counts, calls: 25, limit: 2, name: uniqueName() } satisfies CountConfig;
  await touch();
  const workers = [1, 2, 3].map(() => new Worker(fixtureUrl('semaphore/count-global'), { workerData: config }));
  const { default: run } = (await import(fixtureUrl('semaphore/count-global').href)) as {
    default: (config: CountConfig) => Promise<void>;
  };
  await Promise.all([run(config), ...workers.map((worker) => once(worker, 'exit'))]);
  expect([...counts]).toEqual([0, 2, 100]);
});

test('global - threads that are older than the first use share it too', async () => {
  const counts = counting();
  const workerData = { counts, calls: 25, limit: 2, name: uniqueName(), isWaiting: true } satisfies CountConfig;
  const workers = [1, 2, 3].map(() => new Worker(fixtureUrl('semaphore/count-global'), { workerData }));
  await Promise.all(workers.map((worker) => once(worker, 'online')));
  await touch();
  for (const worker of workers) worker.postMessage('go');
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
  expect([...counts]).toEqual([0, 2, 75]);
});

test('global - workers share it also where the main thread never uses a semaphore', async () => {
  expect(await inOwnProcess('workers-only')).toEqual([0, 2, 90]);
});

test('global - the threads of a pool share it', async () => {
  const counts = counting();
  const pool = new Piscina({ filename: fixtureUrl('semaphore/count-global').href, minThreads: 3, maxThreads: 3 });
  onTestFinished(() => pool.destroy());
  const task = { counts, calls: 5, limit: 2, name: uniqueName() } satisfies CountConfig;
  await Promise.all(Array.from({ length: 12 }, () => pool.run(task)));
  expect([...counts]).toEqual([0, 2, 60]);
});

test('global - a function without a name is the same function in every thread that loads its file', async () => {
  const counts = counting();
  const workers = [1, 2, 3].map(
    () =>
      new Worker(fixtureUrl('semaphore/count-global'), {
        workerData: { counts, calls: 25, limit: 2 } satisfies CountConfig,
      }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
  expect([...counts]).toEqual([0, 2, 75]);
});

test.each(['terminate', 'exit', 'throw'] as const)(
  'global - the slot of a thread that ended is free again: %s',
  async (how) => {
    const options = { name: uniqueName(), limit: 1, scope: 'global' } as const;
    const holder = await Holder.thread(options);
    await holder.acquire();
    const acquired = gate();
    const run = retry({ semaphoreName: options.name, semaphoreLimit: 1, semaphoreTimeout: 10, semaphoreLax: false })(
      async () => acquired.open(),
    );
    const done = run();
    await settled();
    await holder.end(how);
    await done;
    expect(acquired.opened).toBeInstanceOf(Promise);
    await acquired.opened;
  },
);

test('global - the slot of a terminated thread with a blocked event loop is free again', async () => {
  const options = { name: uniqueName(), limit: 1, scope: 'global' } as const;
  const [holder, next] = [await Holder.thread(options), await Holder.thread(options)];
  await holder.acquire();
  holder.tell({ do: 'block', ms: 60_000 });
  await holder.report('blocked');
  next.tell({ do: 'acquire' });
  await holder.end('terminate');
  expect(await next.report('acquired')).toBeUndefined();
});

test.each([{}, { HIDE_PROC: '1' }])(
  'global - a live thread keeps its slot, a terminated one does not: %j',
  async (env) => {
    expect(await inOwnProcess('terminated', env)).toEqual(['ERR_SEMAPHORE_TIMEOUT', 'acquired']);
  },
);

const settledFor = (ms: number): Promise<'waited'> => new Promise((resolve) => setTimeout(resolve, ms, 'waited'));

async function holders(name: string) {
  const use = retry({
    semaphoreName: name,
    semaphoreLimit: 1,
    semaphoreTimeout: 0,
    retries: 0,
    logger: { warn() {}, error() {} },
  });
  await use(async () => {})();
  return (await inspect()).find((report) => report.name === name)?.holders ?? [];
}

test('global - threads are served in the order in which they came', async () => {
  const options = { name: uniqueName(), limit: 1, scope: 'global' } as const;
  const threads = [await Holder.thread(options), await Holder.thread(options), await Holder.thread(options)];
  const [first, second, third] = threads as [Holder, Holder, Holder];
  await first.acquire();
  const order: string[] = [];
  second.tell({ do: 'acquire' });
  while ((await waiters(options.name)).length < 1) await settledFor(2);
  third.tell({ do: 'acquire' });
  while ((await waiters(options.name)).length < 2) await settledFor(2);
  const served = [
    second
      .report('acquired')
      .then(() => order.push('second'))
      .then(() => second.release()),
    third
      .report('acquired')
      .then(() => order.push('third'))
      .then(() => third.release()),
  ];
  await first.release();
  await Promise.all(served);
  expect(order).toEqual(['second', 'third']);
});

async function waiters(name: string) {
  await holders(name);
  return (await inspect()).find((report) => report.name === name)?.waiters ?? [];
}

test('global - a thread whose turn it is, but whose event loop is blocked, does not hold up the next one', async () => {
  const options = { name: uniqueName(), limit: 1, scope: 'global' } as const;
  const [first, blocked, next] = [
    await Holder.thread(options),
    await Holder.thread(options),
    await Holder.thread(options),
  ];
  await first.acquire();
  blocked.tell({ do: 'acquire' });
  while ((await waiters(options.name)).length < 1) await settledFor(2);
  next.tell({ do: 'acquire' });
  blocked.tell({ do: 'block', ms: 60_000 });
  await blocked.report('blocked');
  await first.release();
  expect(await next.report('acquired')).toBeUndefined();
});

test('global - another limit in another thread is an error', async () => {
  const name = uniqueName();
  await retry({ semaphoreName: name, semaphoreLimit: 2 })(async () => {})();
  const thread = await Holder.thread({ name, limit: 3, scope: 'global' });
  thread.tell({ do: 'acquire' });
  expect(await thread.report('failed ERR_SEMAPHORE_LIMIT')).toMatch(/got 3 where it is in use with 2/);
});

test('global - a worker that can not reach the state gets an error, and never a count of its own', async () => {
  const report = (await inOwnProcess('blocked-main')) as Report;
  expect(report.done).toBe('failed ERR_SEMAPHORE_UNAVAILABLE');
  expect(report.value).toMatch(
    /all of them are blocked\. Use a semaphore on the main thread before the first worker starts/,
  );
});

test("global - the same where the folder that would tell is another user's", async (context) => {
  const why = whyNoOtherUser();
  context.skip(why !== '', why);
  const folder = '/tmp/threadbus-65534';
  if (existsSync(folder)) throw new Error(`Expected no ${folder}: some other program of user 65534 runs here.`);
  mkdirSync(folder);
  chmodSync(folder, 0o755);
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const report = (await inOwnProcess('foreign-folder', {}, fixturesForAll())) as Report;
  expect(report.done).toBe('failed ERR_SEMAPHORE_UNAVAILABLE');
  expect(report.value).toMatch(/expected \/tmp\/threadbus-65534 to be a folder of this user/);
});
