import { linkSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MultiprocessSemaphore, retry } from '@threadbus/semaphore';
import { expect, test } from 'vitest';
import { temporaryDirectory, uniqueName } from '../temporary-directory.ts';

// The files of rates that tell nothing any more are removed by whoever begins to use rates in their directory.

/** A call under a rate of its own. */
function start(directory: string, name: string, interval: number): Promise<void> {
  return retry({
    retries: 0,
    timeout: null,
    semaphoreScope: 'multiprocess',
    semaphoreDirectory: directory,
    semaphoreName: name,
    rateLimit: { limit: 2, interval },
  })(async () => {})();
}

const filesOf = (directory: string): string[] => readdirSync(directory).filter((name) => name.endsWith('.rate'));

/** Enough new names for another sweep. */
async function useMany(directory: string, interval: number, count = 64): Promise<void> {
  for (let i = 0; i < count; i++) await start(directory, uniqueName(), interval);
}

test('rate files - names used once leave few files, however many there were', { timeout: 60_000 }, async () => {
  const directory = temporaryDirectory();
  const counts: number[] = [];
  for (let i = 0; i < 5; i++) {
    await useMany(directory, 0.001);
    counts.push(filesOf(directory).length);
  }
  expect(counts.length).toBe(5);
  expect(Math.max(...counts)).toBeLessThanOrEqual(3 * 64);
});

test('rate files - one that still counts stays, and keeps its limit', { timeout: 60_000 }, async () => {
  const directory = temporaryDirectory();
  const name = uniqueName();
  for (let i = 0; i < 2; i++) await start(directory, name, 30);
  const [kept = ''] = filesOf(directory);
  await useMany(directory, 0.001, 200);
  expect(filesOf(directory).length).toBeLessThan(200);
  expect(filesOf(directory)).toContain(kept);
  const controller = new AbortController();
  const third = retry({
    retries: 0,
    timeout: null,
    semaphoreScope: 'multiprocess',
    semaphoreDirectory: directory,
    semaphoreName: name,
    rateLimit: { limit: 2, interval: 30 },
    signal: controller.signal,
  })(async () => {})();
  controller.abort(new Error('it had to wait'));
  await expect(third).rejects.toThrow('it had to wait');
});

test('rate files - one whose gate somebody has is not taken away under him', { timeout: 60_000 }, async () => {
  const directory = temporaryDirectory();
  const name = uniqueName();
  await start(directory, name, 0.001);
  const [own = ''] = filesOf(directory);
  const gate = new MultiprocessSemaphore({ name: `rate ${name}`, limit: 1, directory });
  const lease = await gate.acquire();
  await useMany(directory, 0.001, 200);
  expect(filesOf(directory)).toContain(own);
  await lease.release();
  await useMany(directory, 0.001, 200);
  expect(filesOf(directory)).not.toContain(own);
});

test('rate files - what is not of our form, or is a link, or has two names, stays', { timeout: 60_000 }, async () => {
  const directory = temporaryDirectory();
  const hash = (digit: string): string => `${digit.repeat(32)}.rate`;
  await start(directory, uniqueName(), 0.001);
  const [own = ''] = filesOf(directory);
  const past = readFileSync(join(directory, own));
  const elsewhere = join(temporaryDirectory(), 'precious');
  writeFileSync(elsewhere, past);
  const others = ['notes.rate', hash('a'), hash('b'), hash('c'), hash('d')];
  writeFileSync(join(directory, 'notes.rate'), past);
  // Of our form, but the name in it is another file's.
  writeFileSync(join(directory, hash('a')), past);
  writeFileSync(join(directory, hash('b')), 'something else');
  symlinkSync(elsewhere, join(directory, hash('c')));
  linkSync(elsewhere, join(directory, hash('d')));
  await useMany(directory, 0.001, 200);
  expect(filesOf(directory)).not.toContain(own);
  expect(filesOf(directory)).toEqual(expect.arrayContaining(others));
  expect(readFileSync(elsewhere)).toEqual(past);
});
