import { join } from 'node:path';
import { MultiprocessSemaphore } from '@threadbus/semaphore';
import { expect, test, vi } from 'vitest';
import { minificationSlots } from '../../examples/dist/weigh/settings.js';
import { makeFolder } from '../helpers/folder.ts';
import { longProgram, mostAtOnce, readLog, runWeigh, startWeigh } from '../helpers/weigh.ts';

// Each starts processes with threads of their own, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const FILES = 15;
const sources = Object.fromEntries(Array.from({ length: FILES }, (_, i) => [`${i}.js`, longProgram(30)]));

/** Two runs at once, with two threads each; held back until both want to minify. */
async function twoRuns(limit: number) {
  const [folder, logs, slots] = await Promise.all([makeFolder(sources), makeFolder(), makeFolder()]);
  const log = join(logs, 'minifications.txt');
  const semaphore = new MultiprocessSemaphore({ name: minificationSlots, limit, directory: slots });
  const leases = await Promise.all(Array.from({ length: limit }, () => semaphore.acquire()));
  const runs = [0, 1].map(() =>
    startWeigh([folder, '--threads', '2', '--limit', String(limit), '--log', log, '--json'], slots),
  );
  const waiting = async (): Promise<number> => {
    const { waiters } = await semaphore.inspect();
    return new Set(waiters.map(({ pid }) => pid)).size;
  };
  await expect.poll(waiting, { timeout: 30_000 }).toBe(2);
  expect(await readLog(log)).toEqual([]);
  await Promise.all(leases.map((lease) => lease.release()));

  const results = await Promise.all(runs.map(({ result }) => result));
  for (const { code, stdout } of results) {
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ totals: { files: FILES }, failures: [] });
  }
  return { lines: await readLog(log), pids: runs.map(({ child }) => child.pid) };
}

test.each([1, 2])(
  'limit - two runs at once never minify more than %i files at the same moment',
  async (limit) => {
    const { lines, pids } = await twoRuns(limit);
    expect(lines).toHaveLength(2 * 2 * FILES);
    expect(mostAtOnce(lines)).toBe(limit);
    // They did compete: each began before the other was done.
    const [first = [], second = []] = pids.map((pid) => lines.filter((line) => line.pid === pid));
    expect([first.length, second.length]).toEqual([2 * FILES, 2 * FILES]);
    expect(first[0]?.at).toBeLessThan(second.at(-1)?.at ?? 0n);
    expect(second[0]?.at).toBeLessThan(first.at(-1)?.at ?? 0n);
  },
  40_000,
);

test('limit - a run with another limit is refused at once', async () => {
  const [folder, slots] = await Promise.all([makeFolder({ 'a.js': '' }), makeFolder()]);
  const semaphore = new MultiprocessSemaphore({ name: minificationSlots, limit: 2, directory: slots });
  await using _lease = await semaphore.acquire();
  const { code, stdout, stderr } = await runWeigh([folder, '--limit', '3'], slots);
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toContain('weigh: Expected the semaphore "threadbus-weigh" to have one limit everywhere, got 3');
});
