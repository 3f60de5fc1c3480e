import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MultiprocessSemaphore } from '@threadbus/semaphore';
import { expect, onTestFinished, test, vi } from 'vitest';
import { minificationSlots } from '../../examples/dist/weigh/settings.js';
import { makeFolder } from '../helpers/folder.ts';
import { longProgram, readLog, runWeigh, startWeigh } from '../helpers/weigh.ts';

// Each starts a process with threads of its own, on a machine that may be busy.
vi.setConfig({ testTimeout: 60_000 });

const sources = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`${i}.js`, longProgram(60)]));

test('interrupt - Ctrl-C midway ends the threads, frees the slots and completes the log of events', async () => {
  const [folder, logs, slots] = await Promise.all([makeFolder(sources), makeFolder(), makeFolder()]);
  const [wal, log] = [join(logs, 'events.wal'), join(logs, 'minifications.txt')];
  const run = startWeigh([folder, '--threads', '2', '--limit', '2', '--wal', wal, '--log', log], slots);
  const ended = async () => (await readLog(log)).filter(({ what }) => what === 'end').length;
  await expect.poll(ended, { timeout: 30_000 }).toBeGreaterThan(5);
  run.child.kill('SIGINT');
  expect(await run.result).toMatchObject({ code: 130, signal: null, stdout: '' });

  // The process is gone, and with it its threads; no slot is held.
  const semaphore = new MultiprocessSemaphore({ name: minificationSlots, limit: 2, directory: slots });
  const { holders, waiters } = await semaphore.inspect();
  expect([...holders, ...waiters].filter(({ state }) => state !== 'dead')).toEqual([]);

  // Whatever had begun is in the log of events, in whole lines, though it was not finished.
  const minifications = await readLog(log);
  const text = await readFile(wal, 'utf8');
  expect(text.endsWith('\n')).toBe(true);
  const events = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, string | null>);
  expect(events.every(({ event_completed_at }) => event_completed_at !== null)).toBe(true);
  const found = events.filter(({ event_type }) => event_type === 'FileFound');
  const paths = found.map(({ path }) => path);
  expect(found.length).toBeLessThan(300);
  expect(paths).toEqual(expect.arrayContaining(minifications.map(({ path }) => path)));
  const ids = new Set(found.map(({ event_id }) => event_id));
  const weighed = events.filter(({ event_type }) => event_type === 'FileWeighed');
  expect(weighed.length).toBeGreaterThan(3);
  expect(weighed.every(({ event_parent_id }) => ids.has(event_parent_id ?? ''))).toBe(true);

  const next = await runWeigh([await makeFolder({ 'a.js': 'let a;' }), '--limit', '2', '--json'], slots);
  expect(next).toMatchObject({ code: 0, stderr: '' });
});

test('interrupt - a run that waits for slots of others ends as well, and takes none', async () => {
  const [folder, slots] = await Promise.all([makeFolder({ 'a.js': 'let a;', 'b.js': 'let b;' }), makeFolder()]);
  const semaphore = new MultiprocessSemaphore({ name: minificationSlots, limit: 1, directory: slots });
  await using _lease = await semaphore.acquire();
  const run = startWeigh([folder, '--threads', '2', '--limit', '1'], slots);
  const waiting = async () => (await semaphore.inspect()).waiters.some(({ pid }) => pid === run.child.pid);
  await expect.poll(waiting, { timeout: 30_000 }).toBe(true);
  run.child.kill('SIGTERM');
  expect(await run.result).toMatchObject({ code: 143, signal: null, stdout: '' });
  const { holders, waiters } = await semaphore.inspect();
  expect(holders.map(({ pid }) => pid)).toEqual([process.pid]);
  expect(waiters.filter(({ state }) => state !== 'dead')).toEqual([]);
});

test('interrupt - twice within a moment is one Ctrl-C, as npm passes it on', async () => {
  const [folder, logs, slots] = await Promise.all([makeFolder(sources), makeFolder(), makeFolder()]);
  const log = join(logs, 'minifications.txt');
  const run = startWeigh([folder, '--threads', '2', '--limit', '2', '--log', log], slots);
  await expect.poll(async () => (await readLog(log)).length, { timeout: 30_000 }).toBeGreaterThan(5);
  run.child.kill('SIGINT');
  run.child.kill('SIGINT');
  expect(await run.result).toMatchObject({ code: 130, signal: null });
});

test('interrupt - when stopping takes too long, another Ctrl-C kills', async () => {
  const url = new URL('../../examples/dist/weigh/interruption.js', import.meta.url);
  const stuck = `import { onInterruption } from ${JSON.stringify(url.href)};
    onInterruption().addEventListener('abort', ({ target }) => console.log(target.reason.message));
    setInterval(() => {}, 1000);
    console.log('ready');`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', stuck], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const exit = once(child, 'exit');
  expect(String(await once(child.stdout, 'data'))).toBe('ready\n');
  child.kill('SIGINT');
  expect(String(await once(child.stdout, 'data'))).toBe('stopped by SIGINT\n');
  await new Promise((resolve) => setTimeout(resolve, 700)); // What comes earlier counts as the same Ctrl-C.
  expect(child.exitCode).toBeNull();
  child.kill('SIGINT');
  expect(await exit).toEqual([null, 'SIGINT']);
});
