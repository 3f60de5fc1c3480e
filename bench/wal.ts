import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BaseEvent, EventBus } from '@threadbus/core';
import * as abx from 'abxbus';
import { z } from 'zod';
import { contest } from './contest.ts';
import { check, type Contestant } from './scenario.ts';

const shape = { n: z.number(), user: z.string(), text: z.string() };
const Logged = BaseEvent.extend('Logged', shape);
const Theirs = abx.BaseEvent.extend('Logged', shape);
const payload = (n: number): { n: number; user: string; text: string } => ({ n, user: 'alice', text: 'x'.repeat(100) });

/** Batches of events, until all of them are handled and, if there is a log, written. */
function ours(logged: boolean): Contestant {
  return async (events, measure) =>
    inFolder(async (path) => {
      const bus = new EventBus(logged ? { walPath: path } : {});
      let handled = 0;
      bus.on(Logged, () => void (handled += 1));
      await measure(async () => {
        for (let sent = 0; sent < events;) {
          for (const end = sent + 100; sent < end; sent += 1) bus.dispatch(new Logged(payload(sent)));
          await bus.waitUntilIdle();
        }
        await bus.stop();
      });
      check(handled, events);
      if (logged) check(lines(path), events);
    });
}

/** Its nearest thing to a log: a bridge that appends what it is sent to a file. */
const theirs: Contestant = async (events, measure) =>
  inFolder(async (path) => {
    const bus = new abx.EventBus('Wal', { max_history_size: 50, max_history_drop: true });
    const bridge = new abx.JSONLEventBridge(path, 60);
    let handled = 0;
    bus.on(Theirs, () => void (handled += 1));
    bus.on('*', async (event) => bridge.emit(event));
    await measure(async () => {
      for (let sent = 0; sent < events;) {
        for (const end = sent + 50; sent < end; sent += 1) bus.emit(Theirs(payload(sent)));
        await bus.waitUntilIdle();
      }
    });
    check(handled, events);
    check(lines(path), events);
    await bus.destroy();
  });

async function inFolder(work: (path: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'threadbus-bench-'));
  try {
    await work(join(folder, 'events.jsonl'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const lines = (path: string): number => readFileSync(path, 'utf8').split('\n').length - 1;

const shared = { unit: 'µs per event' } as const;

/** What the log of completed events costs. */
export const wal = contest('wal', [
  {
    ...shared,
    name: 'WAL on',
    ratio: '× as much',
    size: 50_000,
    quick: 5_000,
    rounds: 9,
    contestants: { threadbus: ours(true), 'WAL off': ours(false) },
  },
  {
    ...shared,
    name: 'events into a file',
    ratio: '× as fast',
    size: 5_000,
    quick: 500,
    contestants: { threadbus: ours(true), 'abxbus, JSONLEventBridge': theirs },
  },
]);
