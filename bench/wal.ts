import { EventBus } from '@threadbus/core';
import * as abx from 'abxbus';
import { z } from 'zod';
import { contest } from './contest.ts';
import { check, type Contestant } from './scenario.ts';
import { inTurn, jsonLine, many, readyLine, withBoom, withLog } from './wal-cost.ts';
import { inFolder, lines, Logged, payload } from './wal-events.ts';
import { ours as readOurs, readline } from './wal-read.ts';
import { groupCommit, sqlite, synced } from './wal-sync.ts';

const Theirs = abx.BaseEvent.extend('Logged', { n: z.number(), user: z.string(), text: z.string() });

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

const shared = { unit: 'µs per event' } as const;

/** What the log costs, and what it costs to read it. */
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
  ...Object.entries({ 'in turn': inTurn, '512 at once': many }).map(([name, manner]) => ({
    name: `what a log adds to an event, ${name}`,
    unit: 'µs of CPU per event',
    ratio: '× as much' as const,
    size: 50_000,
    quick: 5_000,
    contestants: {
      threadbus: withLog(manner),
      'sonic-boom': withBoom(manner, jsonLine),
      'sonic-boom, line ready made': withBoom(manner, readyLine),
    },
  })),
  {
    ...shared,
    name: 'walSync, 512 in flight',
    ratio: '× as fast',
    size: 4_096,
    quick: 2_048,
    node: 22,
    contestants: {
      threadbus: synced,
      'SQLite, a commit each': sqlite(1),
      'SQLite, a commit for 512': sqlite(512),
      'write + fdatasync, group commit': groupCommit,
    },
  },
  {
    name: 'reading 1M lines',
    unit: 'µs per line',
    ratio: '× as much',
    size: 1_000_000,
    quick: 20_000,
    contestants: { threadbus: readOurs, 'readline + JSON.parse': readline },
  },
]);
