// Three processes share one limit of 2; one of them is killed while it holds a slot.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Report {
  readonly start: string;
  readonly end?: string;
}

const directory = await mkdtemp(join(tmpdir(), 'shared-limit-'));
const finished: { start: bigint; end: bigint }[] = [];

function startProcess(jobs: number, seconds: number): ChildProcess {
  const child = fork(fileURLToPath(new URL('./job.js', import.meta.url)), [directory, String(jobs), String(seconds)]);
  child.on('message', ({ start, end }: Report) => {
    if (end !== undefined) finished.push({ start: BigInt(start), end: BigInt(end) });
  });
  return child;
}

try {
  // This one takes a slot for an hour, and is killed in the middle of it.
  const greedy = startProcess(1, 3600);
  await once(greedy, 'message');
  const others = [startProcess(6, 0.02), startProcess(6, 0.02)];
  await once(others[0] as ChildProcess, 'message');
  greedy.kill('SIGKILL');
  await Promise.all([greedy, ...others].map((child) => once(child, 'exit')));

  let atOnce = 0;
  let most = 0;
  const moments = finished.flatMap(({ start, end }) => [[start, 1] as const, [end, -1] as const]);
  for (const [, change] of moments.sort(([a], [b]) => (a < b ? -1 : 1))) {
    atOnce += change;
    most = Math.max(most, atOnce);
  }
  console.log('a process was killed while it held a slot');
  console.log(`jobs of the others: ${finished.length} done, at most 2 at once: ${most <= 2}`);
  console.log(`both slots were in use again after the kill: ${most === 2}`);
} finally {
  await rm(directory, { recursive: true, force: true });
}
