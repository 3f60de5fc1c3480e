import { closeSync, fdatasync, openSync, write } from 'node:fs';
import { createRequire } from 'node:module';
import { promisify } from 'node:util';
import { EventBus } from '@threadbus/core';
import { check, type Contestant } from './scenario.ts';
import { inFolder, lineOf, lines, Logged, payload } from './wal-events.ts';

const inFlight = 512;

/** So many at work at once, each of which begins its next one when the last is on the disk. */
async function lanes(events: number, one: (n: number) => PromiseLike<unknown>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let n = next++; n < events; n = next++) await one(n);
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
}

/** Events of a bus whose log promises the disk. */
export const synced: Contestant = async (events, measure) =>
  inFolder(async (path) => {
    const bus = new EventBus({ walPath: path, walSync: true, maxPending: null });
    bus.on(Logged, () => {});
    await measure(() => lanes(events, (n) => bus.dispatch(new Logged(payload(n)))));
    await bus.stop();
    check(lines(path), events);
  });

/** Rows of the SQLite that ships with Node.js, in WAL mode, synchronous=FULL. */
export function sqlite(perCommit: number): Contestant {
  return async (events, measure) =>
    inFolder(async (path) => {
      const database = openDatabase(`${path}.db`);
      database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; CREATE TABLE events (n INTEGER, line TEXT)');
      const insert = database.prepare('INSERT INTO events VALUES (?, ?)');
      await measure(async () => {
        for (let n = 0; n < events;) {
          database.exec('BEGIN');
          for (const end = Math.min(events, n + perCommit); n < end; n += 1) insert.run(n, JSON.stringify(lineOf(n)));
          database.exec('COMMIT');
        }
      });
      check((database.prepare('SELECT count(*) AS n FROM events').get() as { n: number }).n, events);
      database.close();
    });
}

interface Database {
  exec(text: string): void;
  prepare(text: string): { run(...values: unknown[]): void; get(): unknown };
  close(): void;
}

function openDatabase(path: string): Database {
  const { DatabaseSync } = createRequire(import.meta.url)('node:sqlite') as {
    DatabaseSync: new (path: string) => Database;
  };
  return new DatabaseSync(path);
}

/** The least that such a log can do: what has come while the disk was at work is written and synced together. */
export const groupCommit: Contestant = async (events, measure) =>
  inFolder(async (path) => {
    const fd = openSync(path, 'a');
    const [append, sync] = [promisify(write), promisify(fdatasync)];
    let waiting: { readonly text: string; readonly written: () => void }[] = [];
    let isAtWork = false;
    const work = async (): Promise<void> => {
      isAtWork = true;
      while (waiting.length > 0) {
        const batch = waiting;
        waiting = [];
        await append(fd, Buffer.from(batch.map(({ text }) => text).join('')));
        await sync(fd);
        for (const { written } of batch) written();
        await new Promise((resolve) => setImmediate(resolve));
      }
      isAtWork = false;
    };
    const one = (n: number): Promise<void> =>
      new Promise((written) => {
        waiting.push({ text: `${JSON.stringify(lineOf(n))}\n`, written });
        if (!isAtWork) void work();
      });
    await measure(() => lanes(events, one));
    closeSync(fd);
    check(lines(path), events);
  });
