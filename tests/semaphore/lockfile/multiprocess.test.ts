import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import {
  isSemaphoreLimitError,
  isSemaphoreLostError,
  isSemaphoreTimeoutError,
  isSemaphoreUnavailableError,
  MultiprocessSemaphore,
  retry,
} from '@threadbus/semaphore';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { HeldFlags } from '../../../packages/semaphore/dist/lockfile/held-flags.js';
import { SlotFolder } from '../../../packages/semaphore/dist/lockfile/slot-folder.js';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { inLine } from '../folder-signals.ts';
import { Holder } from '../holder.ts';
import { LogLines } from '../log-lines.ts';
import { temporaryDirectory, uniqueName } from '../temporary-directory.ts';

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

function make(limit = 1) {
  const options = { name: uniqueName(), limit, directory: temporaryDirectory() };
  return { options, semaphore: new MultiprocessSemaphore(options) };
}

/** Long enough for a loaded machine; what is measured is in the benchmark. */
const soon = { timeout: 10 };

test('multiprocess - limit 3, six processes: two waves, never more than three', async () => {
  const { options, semaphore } = make(3);
  const holders = await Promise.all(Array.from({ length: 6 }, () => Holder.process(options)));
  const [first, second] = [holders.slice(0, 3), holders.slice(3)];
  await Promise.all(first.map((holder) => holder.acquire()));
  for (const holder of second) holder.tell({ do: 'acquire' });
  await inLine(semaphore, 3);
  expect((await semaphore.inspect()).holders.map(({ pid }) => pid)).toEqual(
    expect.arrayContaining(first.map(({ pid }) => pid)),
  );
  await expect(semaphore.acquire({ timeout: 0.1 })).rejects.toThrow(
    `Failed to acquire multiprocess semaphore "${options.name}" within 0.1s (limit=3)`,
  );
  await Promise.all(first.map((holder) => holder.release()));
  await Promise.all(second.map((holder) => holder.report('acquired')));
  expect((await semaphore.inspect()).holders.map(({ pid }) => pid)).toEqual(
    expect.arrayContaining(second.map(({ pid }) => pid)),
  );
});

describe.each([
  ['with /proc', {}],
  ['without /proc', { HIDE_PROC: '1' }],
])('multiprocess %s', (_, env) => {
  test.each(['SIGKILL', 'SIGTERM', 'exit', 'throw'] as const)(
    'the slot of a process that ended is free again: %s',
    async (how) => {
      const { options, semaphore } = make();
      const holder = await Holder.process(options, env);
      await holder.acquire();
      const next = await Holder.process(options, env);
      next.tell({ do: 'acquire' });
      await inLine(semaphore);
      await holder.end(how);
      await next.report('acquired');
      expect((await semaphore.inspect()).holders).toMatchObject([{ slot: 0, pid: next.pid }]);
    },
  );

  test.each(['terminate', 'exit', 'throw'] as const)(
    'the slot of a worker thread that ended is free again: %s',
    async (how) => {
      const { options } = make();
      const holder = await Holder.thread(options, env);
      await holder.acquire();
      const next = await Holder.thread(options, env);
      next.tell({ do: 'acquire' });
      await holder.end(how);
      expect(await next.report('acquired')).toBeUndefined();
    },
  );

  test('the slot of a terminated thread with a blocked event loop is free again', async () => {
    const { options } = make();
    const holder = await Holder.thread(options, env);
    await holder.acquire();
    const next = await Holder.thread(options, env);
    holder.tell({ do: 'block', ms: 60_000 });
    await holder.report('blocked');
    await holder.end('terminate');
    expect(await next.acquire(10)).toBeUndefined();
  });

  test('a holder that is stopped or blocks its event loop keeps its slot', async () => {
    const { options, semaphore } = make();
    const holder = await Holder.process(options, env);
    const other = await Holder.process(options, env);
    await holder.acquire();
    holder.signal('SIGSTOP');
    other.tell({ do: 'acquire', timeout: 0.4 });
    await other.report('failed ERR_SEMAPHORE_TIMEOUT');
    holder.signal('SIGCONT');
    holder.tell({ do: 'block', ms: 500 });
    await holder.report('blocked');
    other.tell({ do: 'acquire', timeout: 0.3 });
    await other.report('failed ERR_SEMAPHORE_TIMEOUT');
    await holder.report('unblocked');
    expect((await semaphore.inspect()).holders).toMatchObject([{ pid: holder.pid }]);
    await holder.release();
    await other.acquire();
  });

  test('a pid that another process has by now does not keep a dead slot', async () => {
    const { options, semaphore } = make();
    const holder = await Holder.process(options, env);
    await holder.acquire();
    const folder = String((await semaphore.inspect()).directory);
    const flag = readdirSync(folder).find((name) => name.startsWith('slot.0.')) ?? '';
    await holder.end('SIGKILL');
    const alive = await Holder.process(options, env);
    // As if the kernel had given the dead holder's pid to the live process.
    const parts = flag.split('_');
    const start = 4;
    parts[2] = String(alive.pid);
    parts[start] = String(Number(parts[start]) - 1000);
    renameSync(join(folder, flag), join(folder, parts.join('_')));
    const next = await Holder.process(options, env);
    await next.acquire(10);
    expect((await semaphore.inspect()).holders).toMatchObject([{ pid: next.pid, state: 'alive' }]);
  });
});

test('multiprocess - a dead holder that its parent has not reaped yet does not keep its slot', async () => {
  const { options, semaphore } = make();
  const file = fileURLToPath(fixtureUrl('semaphore/contender-process'));
  const config = {
    ...options,
    kind: 'threadbus',
    log: '/dev/null',
    holdMs: 1e9,
    blockShare: 0,
    blockMs: 0,
    window: 'none',
    windowShare: 0,
  };
  const torture = new MultiprocessSemaphore({ ...options, name: 'torture' });
  // `sleep` takes the shell's place, and never asks for its child's exit code.
  const parent = spawn('sh', [
    '-c',
    '"$0" "$1" "$2" & exec sleep 1000',
    process.execPath,
    file,
    JSON.stringify(config),
  ]);
  onTestFinished(() => void parent.kill('SIGKILL'));
  const pid = await vi.waitFor(
    async () => {
      const [holder] = (await torture.inspect()).holders;
      if (holder === undefined) throw new Error('Nobody holds it yet.');
      return holder.pid;
    },
    { interval: 10, timeout: 15_000 },
  );
  process.kill(Number(pid), 'SIGKILL');
  await (await torture.acquire(soon)).release();
  expect(readFileSync(`/proc/${pid}/stat`, 'latin1')).toContain(') Z ');
  expect((await semaphore.inspect()).holders).toEqual([]);
});

test('multiprocess - inspect() tells why a slot is busy: a live holder, or a dead one whose slot nobody wanted yet', async () => {
  const { options, semaphore } = make(2);
  const [alive, dead] = [await Holder.process(options), await Holder.process(options)];
  await Promise.all([alive.acquire(), dead.acquire()]);
  await dead.end('SIGKILL');
  const { holders } = await semaphore.inspect();
  expect(holders).toHaveLength(2);
  const since = expect.any(String) as string;
  expect(holders).toEqual(
    expect.arrayContaining([
      { slot: expect.any(Number) as number, pid: alive.pid, threadId: 0, state: 'alive', since },
      { slot: expect.any(Number) as number, pid: dead.pid, threadId: 0, state: 'dead', since },
    ]),
  );
});

test('multiprocess - another limit is an error while a process with the first one lives', async () => {
  const { options } = make(3);
  const holder = await Holder.process(options);
  await holder.acquire();
  const semaphore = new MultiprocessSemaphore({ ...options, limit: 2 });
  const error = await caught(semaphore.acquire());
  expect(isSemaphoreLimitError(error)).toBe(true);
  expect(error).toMatchObject({ limit: 2, existing: 3 });
  await holder.end('SIGKILL');
  await (await semaphore.acquire(soon)).release();
});

test.each(['a/b', '../x', '..', '.', ' ', 'n'.repeat(300), 'emoji 🧵', 'nul \0 nul', 'con', 'a\nb'])(
  'multiprocess - any text is a name, and stays in the directory: %j',
  async (name) => {
    const directory = temporaryDirectory();
    const semaphore = new MultiprocessSemaphore({ name, limit: 1, directory });
    const lease = await semaphore.acquire();
    expect(readdirSync(directory)).toEqual([expect.stringMatching(/^[0-9a-f]{32}$/)]);
    await expect(semaphore.acquire({ timeout: 0 })).rejects.toSatisfy(isSemaphoreTimeoutError);
    await lease.release();
  },
);

test('multiprocess - two spellings of one text are one name', async () => {
  const directory = temporaryDirectory();
  const lease = await new MultiprocessSemaphore({ name: 'caf\u00e9', limit: 1, directory }).acquire();
  const other = new MultiprocessSemaphore({ name: 'cafe\u0301', limit: 1, directory });
  await expect(other.acquire({ timeout: 0 })).rejects.toSatisfy(isSemaphoreTimeoutError);
  await lease.release();
});

test.each(['', undefined, 7, null])('multiprocess - %j is no name', (name) => {
  expect(() => new MultiprocessSemaphore({ name: name as string, limit: 1 })).toThrow(
    /Expected the name .* text that is not empty/,
  );
});

test('multiprocess - retry needs a name or a named function', () => {
  const options = { semaphoreScope: 'multiprocess', semaphoreLimit: 1 } as const;
  expect(() => retry(options)(async () => {})).toThrow(/Expected `semaphoreName` or a named function/);
  expect(() => retry({ ...options, semaphoreName: 'named' })(async () => {})).not.toThrow();
});

test('multiprocess - retry: processes share by the name, and a strict wait fails with the limit and the timeout', async () => {
  const { options } = make();
  const holder = await Holder.process(options);
  await holder.acquire();
  const strict = {
    semaphoreScope: 'multiprocess',
    semaphoreLimit: 1,
    semaphoreLax: false,
    semaphoreTimeout: 0.05,
    retries: 0,
  } as const;
  const run = retry({ ...strict, semaphoreName: options.name, semaphoreDirectory: options.directory })(
    async () => 'ran',
  );
  await expect(run()).rejects.toThrow(
    `Failed to acquire multiprocess semaphore "${options.name}" within 0.05s (limit=1, timeout=5s per operation)`,
  );
  await holder.release();
  expect(await run()).toBe('ran');
});

test('multiprocess - a missing directory is made, for this user alone', async () => {
  const directory = join(temporaryDirectory(), 'deep', 'er');
  const semaphore = new MultiprocessSemaphore({ name: 'n', limit: 1, directory });
  expect(existsSync(directory)).toBe(false);
  const lease = await semaphore.acquire();
  const folder = String((await semaphore.inspect()).directory);
  expect([directory, folder].map((path) => (statSync(path).mode & 0o777).toString(8))).toEqual(['700', '700']);
  const files = readdirSync(folder);
  expect(files.map((file) => (statSync(join(folder, file)).mode & 0o777).toString(8))).toEqual(['600', '600']);
  await lease.release();
});

test.each([
  ['a file is in the way', () => writeFile(join(temporaryDirectory(), 'file')), 'ENOTDIR'],
  ['nothing can be made there', () => '/proc/no-such-folder', 'ENOENT'],
])(
  'multiprocess - %s: SemaphoreUnavailableError at once, also for a lax call that would wait',
  async (_, path, code) => {
    const directory = join(path(), 'slots');
    let calls = 0;
    const run = retry({
      semaphoreScope: 'multiprocess',
      semaphoreName: 'n',
      semaphoreLimit: 1,
      semaphoreDirectory: directory,
      logger: new LogLines(),
    })(async () => calls++);
    const error = await caught(run());
    expect(isSemaphoreUnavailableError(error)).toBe(true);
    expect(error).toMatchObject({
      semaphore: 'n',
      path: directory,
      code: 'ERR_SEMAPHORE_UNAVAILABLE',
      cause: { code },
    });
    expect(String(error)).toMatch(/expected a folder for its slots .* got .*THREADBUS_SEMAPHORE_DIR/);
    expect(calls).toBe(0);
  },
);

function writeFile(path: string): string {
  writeFileSync(path, '');
  return path;
}

test('multiprocess - THREADBUS_SEMAPHORE_DIR says where', async () => {
  const directory = temporaryDirectory();
  const before = process.env['THREADBUS_SEMAPHORE_DIR'];
  process.env['THREADBUS_SEMAPHORE_DIR'] = directory;
  onTestFinished(() => {
    if (before === undefined) delete process.env['THREADBUS_SEMAPHORE_DIR'];
    else process.env['THREADBUS_SEMAPHORE_DIR'] = before;
  });
  const semaphore = new MultiprocessSemaphore({ name: uniqueName(), limit: 1 });
  await (await semaphore.acquire()).release();
  expect((await semaphore.inspect()).directory?.startsWith(directory)).toBe(true);
});

test('multiprocess - a slot whose files are deleted is lost: the signal aborts, release() does not throw, others go on', async () => {
  const { options, semaphore } = make();
  const holder = await Holder.process(options);
  const lease = await semaphore.acquire();
  holder.tell({ do: 'acquire' });
  const lost = once(lease.signal, 'abort');
  const away = join(options.directory, 'away');
  renameSync(String((await semaphore.inspect()).directory), away);
  rmSync(away, { recursive: true });
  await lost;
  expect(isSemaphoreLostError(lease.signal.reason)).toBe(true);
  await lease.release();
  await holder.report('acquired');
  await holder.release();
  await (await semaphore.acquire(soon)).release();
});

test('multiprocess - a folder that is deleted between the look and the taking is made again, and no error', () => {
  const place = { name: 'n', limit: 1, directory: temporaryDirectory(), shared: 'user' } as const;
  let deleted = 0;
  const folder = new SlotFolder(place, { woken: () => {}, deleted: () => deleted++, beat: () => {} });
  folder.open();
  const flags = new HeldFlags(folder, 0);
  rmSync(folder.path, { recursive: true });
  expect(flags.take(0, 1)).toBe('busy');
  expect(folder.list().flags).toEqual([]);
  expect(flags.take(0, 1)).toBe('held');
  flags.free();
  folder.close();
  expect([deleted, existsSync(folder.path)]).toEqual([1, false]);
});

test('multiprocess - lax calls complete although the directory is deleted under way', async () => {
  const { options } = make();
  const run = retry({
    semaphoreScope: 'multiprocess',
    semaphoreName: options.name,
    semaphoreLimit: 1,
    semaphoreDirectory: options.directory,
  })(async (index: number) => {
    if (index === 1)
      for (const name of readdirSync(options.directory)) rmSync(join(options.directory, name), { recursive: true });
    return index;
  });
  expect(await Promise.all([0, 1, 2, 3].map((index) => run(index)))).toEqual([0, 1, 2, 3]);
});

test('package - an import installs and makes nothing; what has been used lets the process end by itself', async () => {
  const directory = join(temporaryDirectory(), 'slots');
  const child = spawn(process.execPath, [fileURLToPath(fixtureUrl('semaphore/use-and-end')), directory]);
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const nothing = { listeners: [0, 0, 0, 0], hasDirectory: false };
  const found = JSON.parse(line) as Record<string, { listeners: number[]; hasDirectory: boolean }>;
  expect([found['imported'], found['made']]).toEqual([nothing, nothing]);
  // No signal handler, ever; what is to be removed at a regular end is.
  expect(found['global']?.listeners.slice(0, 3)).toEqual([0, 0, 0]);
  expect(found['used']).toMatchObject({ hasDirectory: true, listeners: [0, 0, 0, expect.any(Number) as number] });
  expect(found['holders']).toBe(1);
  const [code] = (await once(child, 'exit')) as [number];
  expect(code).toBe(0);
  expect(readdirSync(directory)).toEqual([]);
});
