// What had started when a thread died is told, what had not goes to the replacement; a process that was killed finds
// what it had not done in its log.
import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { EventBus } from '@threadbus/core';
import { isWorkerCrashedError, WorkerBus } from '@threadbus/worker';
import { ChargeCard, MakeThumbnail } from './events.js';

const folder = await mkdtemp(join(tmpdir(), 'crash-recovery-'));
const quiet = { ...console, warn: () => undefined, error: () => undefined };
try {
  await using main = new EventBus({ name: 'Main', logger: quiet });
  await using jobs = await WorkerBus.start(new URL('./jobs-bus.js', import.meta.url), {
    parent: main,
    workerData: { folder },
  });
  const firstThread = jobs.threadId;

  const cards = ['unlucky', 'second', 'third'].map((card) => jobs.dispatch(new ChargeCard({ card })));
  for (const { event } of cards) {
    try {
      console.log(`${event.card}: ${await event.eventResult()}`);
    } catch (error) {
      if (!isWorkerCrashedError(error)) throw error;
      console.log(`${event.card}: had started when the thread died`);
    }
  }

  const thumbnail = await jobs.dispatch(new MakeThumbnail({ image: 'cat.png' })).eventResult();
  console.log(`${thumbnail}: started again after another crash`);
  console.log(`another thread: ${jobs.threadId !== firstThread}, the same bus: ${jobs.name}`);

  const shipped = join(folder, 'shipped.txt');
  const orders = (task: string): ReturnType<typeof spawnSync> =>
    spawnSync(
      process.execPath,
      [fileURLToPath(new URL('./orders.js', import.meta.url)), join(folder, 'orders.jsonl'), shipped, task],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
  console.log(`10000 orders taken, and the process is ended by ${orders('take').signal}`);
  orders('recover');
  const runs = new Map<string, number>();
  for (const number of (await readFile(shipped, 'utf8')).trim().split('\n'))
    runs.set(number, (runs.get(number) ?? 0) + 1);
  const times = [...runs.values()];
  console.log('times shipped | orders');
  console.log(`never         | ${10_000 - runs.size}`);
  for (const [word, count] of [
    ['once ', 1],
    ['twice', 2],
  ] as const)
    console.log(`${word}         | ${times.filter((time) => time === count).length}`);
} finally {
  await rm(folder, { recursive: true, force: true });
}
