import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { isSemaphoreLimitError, MultiprocessSemaphore, retry } from '@threadbus/semaphore';
import { expect, test } from 'vitest';
import { watches } from '../../fixtures/semaphore/inotify-watches.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { emptied, inLine } from '../folder-signals.ts';
import { Holder } from '../holder.ts';
import { temporaryDirectory, uniqueName } from '../temporary-directory.ts';

test('idle - 1,000 names used once: watches and folders stay as few', async () => {
  const directory = temporaryDirectory();
  const before = watches();
  let [mostWatches, mostFolders] = [0, 0];
  for (let i = 0; i < 1000; i++) {
    await (await new MultiprocessSemaphore({ name: `name ${i}`, limit: 1, directory }).acquire()).release();
    if (i % 50 !== 0) continue;
    mostWatches = Math.max(mostWatches, watches() - before);
    mostFolders = Math.max(mostFolders, readdirSync(directory).length);
  }
  expect(mostWatches).toBeLessThanOrEqual(20);
  expect(mostFolders).toBeLessThanOrEqual(20);
  await emptied(directory);
  // The system is asked to end a watch, and does so a moment later.
  await expect.poll(() => watches() - before, { timeout: 10_000 }).toBeLessThanOrEqual(0);
}, 60_000);

test('idle - retry: names by argument leave no folders either', async () => {
  const semaphoreDirectory = temporaryDirectory();
  const run = retry({
    semaphoreScope: 'multiprocess',
    semaphoreLimit: 1,
    semaphoreName: (user: number) => `user ${user}`,
    semaphoreDirectory,
  })(async (user: number) => user);
  for (let user = 0; user < 200; user++) expect(await run(user)).toBe(user);
  expect(readdirSync(semaphoreDirectory).length).toBeLessThanOrEqual(20);
});

test('idle - a name that rests is used again as if nothing had been', async () => {
  const options = { name: uniqueName(), limit: 1, directory: temporaryDirectory() };
  const semaphore = new MultiprocessSemaphore(options);
  const holder = await Holder.process(options);
  await (await semaphore.acquire()).release();
  await emptied(options.directory);
  await holder.acquire();
  const waiting = semaphore.acquire({ timeout: 10 });
  await inLine(semaphore);
  await holder.release();
  expect((await waiting).signal.aborted).toBe(false);
  await (await waiting).release();
});

test('idle - what a thread has used with one limit it can not use with another, also while the name rests', async () => {
  const options = { name: uniqueName(), limit: 1, directory: temporaryDirectory() };
  await (await new MultiprocessSemaphore(options).acquire()).release();
  await emptied(options.directory);
  const other = new MultiprocessSemaphore({ ...options, limit: 2 });
  await expect(other.acquire()).rejects.toSatisfy(isSemaphoreLimitError);
});

test('signals - a graceful shutdown takes its time: no handler of ours cuts it off', async () => {
  const file = fileURLToPath(fixtureUrl('semaphore/drain-on-signal'));
  const { stdout } = await promisify(execFile)(process.execPath, [file, join(temporaryDirectory(), 'slots')]);
  expect(stdout.trim().split('\n')).toEqual(['listened to: SIGTERM', 'drain begins', 'drained']);
});
