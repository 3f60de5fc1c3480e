import { createReadStream, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { EventBus, readWal } from '@threadbus/core';
import { check, type Contestant } from './scenario.ts';
import { Logged, payload } from './wal-events.ts';

/** A log of so many events, written once for all contestants; they have one parent, and leave together. */
async function logOf(events: number): Promise<string> {
  const folder = join(tmpdir(), `threadbus-bench-${process.ppid}`);
  const path = join(folder, `${events}.jsonl`);
  if (existsSync(path)) return path;
  mkdirSync(folder, { recursive: true });
  const part = `${path}-${process.pid}`;
  const bus = new EventBus({ walPath: part, maxPending: null });
  bus.on(Logged, () => {});
  for (let n = 0; n < events;) {
    for (const end = Math.min(events, n + 1_000); n < end; n += 1) bus.dispatch(new Logged(payload(n)));
    await bus.waitUntilIdle();
  }
  await bus.stop();
  renameSync(part, path);
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return path;
}

function reading(count: (path: string) => Promise<number>): Contestant {
  return async (events, measure) => {
    const path = await logOf(events);
    let read = 0;
    await measure(async () => {
      read = await count(path);
    });
    check(read, events);
  };
}

export const ours = reading(async (path) => {
  let read = 0;
  for await (const { event_type } of readWal(path)) read += event_type === 'Logged' ? 1 : 0;
  return read;
});

export const readline = reading(async (path) => {
  let read = 0;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    read += (JSON.parse(line) as { event_type: string }).event_type === 'Logged' ? 1 : 0;
  }
  return read;
});
