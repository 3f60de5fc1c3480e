import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { inspect, retry } from '@threadbus/semaphore';
import { expect, test } from 'vitest';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { gate, settled } from '../gate.ts';
import { Holder } from '../holder.ts';
import { uniqueName } from '../temporary-directory.ts';

async function program(scenario: string, nodeOptions: readonly string[] = []): Promise<unknown> {
  const file = fileURLToPath(fixtureUrl('semaphore/global-names'));
  const { stdout } = await promisify(execFile)(process.execPath, [...nodeOptions, file, scenario]);
  return JSON.parse(stdout);
}

test('global names - 24,000 used one after the other: each counts, and none is too many', async () => {
  const { most, memoryMb } = (await program('in-turn')) as { most: number; memoryMb: number };
  expect(most).toBe(1);
  expect(memoryMb).toBeLessThan(60);
}, 60_000);

test('global names - a name that is held keeps its count while 12,000 others come and go', async () => {
  expect(await program('held')).toEqual({ whileHeld: 'ERR_SEMAPHORE_TIMEOUT', afterwards: 'acquired' });
}, 60_000);

test('global names - 6,000 closures without a name have a limit each', async () => {
  expect(await program('closures')).toEqual({ ran: 6000 });
}, 60_000);

test('global - of the very first calls the first is served first', async () => {
  expect(await program('first-calls')).toEqual([1, 2, 3, 4, 5]);
  expect(await program('first-calls-in-worker')).toEqual([1, 2, 3, 4, 5]);
});

const permission = Number(process.versions.node.split('.')[0]) >= 24 ? '--permission' : '--experimental-permission';

test.each([
  ['the permission model', [permission, '--allow-fs-read=*']],
  ['frozen intrinsics', ['--frozen-intrinsics', '--no-warnings']],
  ['no stack traces', ['--stack-trace-limit=0']],
])('global - a plain limit in one thread needs nothing of the machine: %s', async (_, nodeOptions) => {
  expect(await program('plain', nodeOptions)).toEqual({ most: 2, timedOut: 'SemaphoreTimeoutError' });
});

test('global - a plain limit in one thread works where there is neither /proc nor a writable /tmp', async () => {
  expect(await program('nothing')).toEqual({ most: 2, timedOut: 'SemaphoreTimeoutError' });
});

test.each(['async', 'blocked'])(
  'global - after /tmp was cleaned a new thread gets no count of its own: the holder waits %s',
  async (how) => {
    expect(await program(`cleaned-${how}`)).toEqual({ most: 1 });
  },
);

test('global - inspect() shows one entry a call, in order, over threads', async () => {
  const name = uniqueName();
  const hold = gate();
  const run = retry({ semaphoreName: name, semaphoreLimit: 1, semaphoreTimeout: 20 })(async (wait: boolean) => {
    if (wait) await hold.opened;
  });
  const first = run(true);
  await settled();
  const waiting = [run(false), run(false)];
  const thread = await Holder.thread({ name, limit: 1, scope: 'global' });
  thread.tell({ do: 'acquire' });
  const report = async () => (await inspect()).find((one) => one.name === name);
  while ((await report())?.waiters.length !== 3) await settled();
  const found = await report();
  expect(found?.holders).toMatchObject([{ slot: 0, threadId: 0, state: 'alive' }]);
  expect(found?.waiters.map(({ threadId, permits }) => [threadId, permits])).toEqual([
    [0, 1],
    [0, 1],
    [thread.threadId, 1],
  ]);
  const sinces = [...(found?.holders ?? []), ...(found?.waiters ?? [])].map(({ since }) => Date.parse(since));
  for (const since of sinces) expect(Math.abs(Date.now() - since)).toBeLessThan(20_000);
  hold.open();
  await Promise.all([first, ...waiting, thread.report('acquired')]);
});
