import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BaseEvent, EventBus } from '@threadbus/core';
import { WorkerBus } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { hosted, isolation } from '../../helpers/isolation.ts';
import { logRecorder } from '../../helpers/log-recorder.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

async function started(walPath: string): Promise<{ jobs: WorkerBus; errors: string[] }> {
  const logger = logRecorder();
  const parent = new EventBus({ logger });
  const jobs = await WorkerBus.start(fixtureUrl('worker/logging-bus'), {
    parent,
    isolation: isolation(),
    workerData: { walPath },
  });
  onTestFinished(async () => {
    await jobs.stop();
    await parent.stop();
  });
  return { jobs, errors: logger.errors };
}

function event(event_type: string): BaseEvent {
  return new BaseEvent({}, { event_type, event_timeout: 0.3 });
}

test('thread-log - what was answered is in the file, however the thread ends', async () => {
  const walPath = join(tempFolder(), 'log.jsonl');
  const { jobs } = await started(walPath);
  const done = await Promise.all(Array.from({ length: 40 }, () => jobs.dispatch(event('Work'))));
  const text = readFileSync(walPath, 'utf8');
  for (const { event_id } of done) expect(text).toContain(event_id);
  await jobs.dispatch(event('Block'));
  await jobs.dispatch(event('Exit'));
  expect(readFileSync(walPath, 'utf8').startsWith(text)).toBe(true);
});

test('thread-log - a thread that ends writes what it has', async () => {
  const walPath = join(tempFolder(), 'log.jsonl');
  const { jobs } = await started(walPath);
  const { event: work } = jobs.dispatch(event('Work'));
  await jobs.dispatch(event('Exit'));
  // Answered by the replacement, so the one before is gone.
  await jobs.dispatch(event('Work'));
  expect(readFileSync(walPath, 'utf8')).toContain(work.event_id);
});

test("thread-log - lines that a killed thread takes along are told to its parent's logger", async () => {
  const walPath = tempFolder();
  mkdirSync(join(walPath, 'in the way'));
  const { jobs, errors } = await started(walPath);
  await Promise.all([1, 2, 3].map(() => jobs.dispatch(event('Work'))));
  await jobs.dispatch(event('Block'));
  await jobs.dispatch(event('Work'));
  const told = errors.find((error) => error.includes('that it had not written to its log'));
  expect(told).toContain(hosted('The thread of '));
  expect(told).toContain('has ended with 3 lines');
});
