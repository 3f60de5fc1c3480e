import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BaseEvent, EventBus, isEventValidationError, readWal } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { collect } from '../../helpers/collect.ts';
import { rejection } from '../../helpers/gate.ts';
import { startProgram } from '../../helpers/run-program.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const Step = BaseEvent.extend('Step', { n: z.number() });
type Read = BaseEvent & { readonly n: number };

async function logged(path: string, from: number, to: number): Promise<void> {
  await using bus = new EventBus({ walPath: path, maxPending: null });
  for (let n = from; n < to; n += 1) bus.dispatch(new Step({ n }));
  await bus.waitUntilIdle();
}

async function numbers(path: string): Promise<number[]> {
  const events = await collect(readWal(path));
  return events.map((event) => (event as Read).n);
}

test('read-wal - gives the events in their order, with ids and paths as they were', async () => {
  const path = join(tempFolder(), 'log.jsonl');
  await logged(path, 0, 50);
  const events = await collect(readWal(path));
  expect(events.map((event) => (event as Read).n)).toEqual(Array.from({ length: 50 }, (_, n) => n));
  expect(events[0]?.event_type).toBe('Step');
  expect(events[0]?.event_path).toHaveLength(1);
  expect([events[0]?.event_status, events[0]?.event_outcome]).toEqual(['completed', 'succeeded']);
});

test('read-wal - with reset it gives copies that can be dispatched', async () => {
  const path = join(tempFolder(), 'log.jsonl');
  await logged(path, 0, 3);
  const ids = (await collect(readWal(path))).map(({ event_id }) => event_id);
  await using bus = new EventBus();
  const seen: number[] = [];
  bus.on(Step, ({ n }) => void seen.push(n));
  for await (const event of readWal(path, { reset: true })) {
    expect(ids).not.toContain(event.event_id);
    expect(event.event_path).toEqual([]);
    await bus.dispatch(event);
  }
  expect(seen).toEqual([0, 1, 2]);
});

test('read-wal - a torn last line is left out', async () => {
  const path = join(tempFolder(), 'log.jsonl');
  await logged(path, 0, 3);
  const whole = readFileSync(path, 'utf8');
  for (const cut of [1, 2, 30, 100]) {
    writeFileSync(path, whole.slice(0, -cut));
    expect(await numbers(path)).toEqual(cut === 1 ? [0, 1, 2] : [0, 1]);
  }
  writeFileSync(path, `${whole}{`);
  expect(await numbers(path)).toEqual([0, 1, 2]);
  writeFileSync(path, '');
  expect(await numbers(path)).toEqual([]);
});

test('read-wal - a torn line that was appended to later is left out too', async () => {
  const path = join(tempFolder(), 'log.jsonl');
  await logged(path, 0, 2);
  appendFileSync(path, readFileSync(path, 'utf8').slice(0, 60));
  await logged(path, 2, 4);
  expect(await numbers(path)).toEqual([0, 1, 2, 3]);
});

test('read-wal - a bus whose file was torn by another writer goes on behind the tear', async () => {
  const path = join(tempFolder(), 'log.jsonl');
  await using bus = new EventBus({ walPath: path });
  await bus.dispatch(new Step({ n: 0 }));
  await bus.waitUntilIdle();
  appendFileSync(path, '{"event_type":"Torn","n"');
  await bus.dispatch(new Step({ n: 1 }));
  await bus.waitUntilIdle();
  expect(await numbers(path)).toEqual([0, 1]);
});

test('read-wal - a damaged line in the middle is an error that names file, line and problem', async () => {
  const path = join(tempFolder(), 'log.jsonl');
  await logged(path, 0, 1);
  appendFileSync(path, '{"event_type":"Step","event_id":"nope"}\n');
  const error = await rejection(numbers(path));
  expect(isEventValidationError(error)).toBe(true);
  expect(error.message).toBe(
    `Line 2 of ${path} is damaged: Step: expected event_id to be a UUID; got the string "nope". Mend or remove the line to read on.`,
  );
  expect(isEventValidationError(error) && error.issues[0]?.path).toBe('event_id');
});

test('read-wal - empty lines and Windows line ends are fine', async () => {
  const path = join(tempFolder(), 'log.jsonl');
  await logged(path, 0, 2);
  writeFileSync(path, `\n${readFileSync(path, 'utf8').replaceAll('\n', '\r\n')}\n\n`);
  expect(await numbers(path)).toEqual([0, 1]);
});

test('read-wal - a line longer than a chunk of the file and odd characters come back whole', async () => {
  const path = join(tempFolder(), 'log.jsonl');
  const text = `${'ü€😀'.repeat(60_000)}\u2028\n`;
  await using bus = new EventBus({ walPath: path });
  await bus.dispatch(new BaseEvent({ text }, { event_type: 'Long' }));
  await bus.waitUntilIdle();
  const [event] = await collect(readWal(path));
  expect(event?.toJSON()['text']).toBe(text);
});

test('read-wal - a missing file and wrong arguments reject', async () => {
  const path = join(tempFolder(), 'none.jsonl');
  expect((await rejection(numbers(path))) as NodeJS.ErrnoException).toMatchObject({ code: 'ENOENT' });
  expect((await rejection(numbers(5 as never))).message).toBe(
    'Expected the log to be the path of a file; got 5 (number). A file: URL will do as well.',
  );
});

test('read-wal - leaving the loop early closes the file', async () => {
  const path = join(tempFolder(), 'log.jsonl');
  await logged(path, 0, 2_000);
  let count = 0;
  for await (const _event of readWal(path)) {
    count += 1;
    if (count === 3) break;
  }
  expect(count).toBe(3);
});

test('read-wal - a process that is killed leaves a readable log', async () => {
  const path = join(tempFolder(), 'log.jsonl');
  for (let round = 0; round < 3; round += 1) {
    const child = startProgram('log-forever', [path]);
    await new Promise<void>((resolve) => {
      child.stdout?.on('data', (chunk: Buffer) => {
        if (chunk.includes('1000')) resolve();
      });
    });
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('close', resolve));
  }
  const read = await numbers(path);
  const runs = read.reduce<number[][]>((all, n) => {
    if (n === 0) all.push([]);
    all.at(-1)?.push(n);
    return all;
  }, []);
  expect(runs).toHaveLength(3);
  for (const run of runs) {
    expect(run.length).toBeGreaterThanOrEqual(1_000);
    expect(run).toEqual(Array.from({ length: run.length }, (_, n) => n));
  }
});
