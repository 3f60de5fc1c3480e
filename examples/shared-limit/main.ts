// Three processes share one limit of 2; one of them is killed while it holds a slot.
import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
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
const news = new EventEmitter();

function startProcess(jobs: number): ChildProcess {
  const child = fork(fileURLToPath(new URL('./job.js', import.meta.url)), [directory, String(jobs)]);
  child.on('message', ({ start, end }: Report) => {
    if (end === undefined) news.emit('start');
    else finished.push({ start: BigInt(start), end: BigInt(end) });
  });
  return child;
}

try {
  // This one has a slot, and is killed in the middle of its job.
  const greedy = startProcess(1);
  await once(news, 'start');
  const others = [startProcess(6), startProcess(6)];
  await once(news, 'start');
  greedy.kill('SIGKILL');
  // Nobody's job has ended: this one got the slot of the process that was killed.
  await once(news, 'start');
  for (const other of others) other.send('go on');
  // Closed is after the exit: what they have said is heard by then.
  await Promise.all(others.map((child) => once(child, 'close')));

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
