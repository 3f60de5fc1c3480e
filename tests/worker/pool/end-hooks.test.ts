import { readFileSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BaseEvent, type EventBus, isBusStoppedError } from '@threadbus/core';
import { HandlerPool } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

interface Notes {
  readonly file: string;
  readonly read: () => string[];
  /** Resolves once that stands there. */
  readonly has: (text: string) => Promise<void>;
}

function notes(): Notes {
  const file = join(tempFolder(), 'notes');
  writeFileSync(file, '');
  const read = (): string[] => readFileSync(file, 'utf8').split('\n').slice(0, -1);
  const has = async (text: string): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!read().includes(text)) return;
        watcher.close();
        resolve();
      };
      const watcher = watch(file, look);
      look();
    });
  return { file, read, has };
}

function poolBus(): { bus: EventBus; pool: HandlerPool } {
  const pool = new HandlerPool({ maxThreads: 1 });
  onTestFinished(() => pool.stop());
  const bus = quietBus();
  bus.on('Work', pool.handler(fixtureUrl('worker/end-hooks-task')));
  return { bus, pool };
}

const work = (what: string, file: string, event_timeout: number | null = null): BaseEvent =>
  new BaseEvent({ what, file }, { event_type: 'Work', event_timeout });

test('pool end hooks - run in a thread with nothing to do when the pool stops', async () => {
  const { bus, pool } = poolBus();
  const { file, read } = notes();
  await bus.dispatch(work('return', file)).eventResult();
  await pool.stop();
  expect(read()).toEqual(['called', 'hook begins', 'hook ends']);
});

test('pool end hooks - run in a thread whose handler is in progress, which is told to stop', async () => {
  const { bus, pool } = poolBus();
  const { file, read, has } = notes();
  const failed = rejection(bus.dispatch(work('await', file)).eventResult());
  await has('called');
  await pool.stop();
  expect(isBusStoppedError(await failed)).toBe(true);
  expect(read()).toEqual(['called', 'aborted', 'hook begins', 'hook ends']);
});

test('pool end hooks - none runs in a thread that is blocked, and the stop takes no longer than that is looked at', async () => {
  const { bus, pool } = poolBus();
  const { file, read, has } = notes();
  const failed = rejection(bus.dispatch(work('loop', file)).eventResult());
  await has('called');
  await pool.stop();
  expect(isBusStoppedError(await failed)).toBe(true);
  expect(read()).toEqual(['called']);
});

test('pool end hooks - none runs in a thread that is ended for blocking', async () => {
  const { bus } = poolBus();
  const { file, read } = notes();
  await bus.dispatch(work('loop', file, 0.2));
  expect(read()).toEqual(['called']);
});
