// A thread dies in the middle of its work: what had started is told, what had not goes to the replacement.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
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
} finally {
  await rm(folder, { recursive: true, force: true });
}
