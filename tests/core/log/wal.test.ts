import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { BaseEvent, EventBus, isWalWriteError, readWal } from '@threadbus/core';
import { expect, test, vi } from 'vitest';
import { z } from 'zod';
import { collect } from '../../helpers/collect.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { gate, rejection, ticks } from '../../helpers/gate.ts';
import { logRecorder } from '../../helpers/log-recorder.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const Step = BaseEvent.extend('Step', { n: z.number() });
const Child = BaseEvent.extend('Child', { n: z.number() });
const Any = BaseEvent.extend('Any', { data: z.any() });

interface Line {
  readonly event_type: string;
  readonly n: number;
  readonly [field: string]: unknown;
}

function linesOf(path: string): Line[] {
  const text = readFileSync(path, 'utf8');
  expect(text === '' || text.endsWith('\n')).toBe(true);
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Line);
}

test('wal - each completed event is one line with its payload, its times and what became of it', async () => {
  const walPath = join(tempFolder(), 'deep', 'er', 'events.jsonl');
  await using bus = new EventBus({ name: 'Logged', walPath });
  bus.on(Step, () => 'result');
  const event = await bus.dispatch(new Step({ n: 1 }));
  const [result] = event.event_results.values();
  expect(linesOf(walPath)).toEqual([
    {
      ...event.toJSON(),
      event_status: 'completed',
      event_outcome: 'succeeded',
      event_results: [
        {
          handler_id: result?.handler_id,
          handler_name: 'anonymous',
          eventbus_id: bus.id,
          eventbus_name: 'Logged',
          status: 'completed',
          error: null,
        },
      ],
      event_started_at: event.event_started_at,
      event_completed_at: event.event_completed_at,
    },
  ]);
});

test('wal - an existing file is appended to', async () => {
  const walPath = join(tempFolder(), 'events.jsonl');
  for (const n of [1, 2]) {
    await using bus = new EventBus({ walPath });
    bus.dispatch(new Step({ n }));
    await bus.waitUntilIdle();
  }
  expect(linesOf(walPath).map(({ n }) => n)).toEqual([1, 2]);
});

test('wal - nothing is written, not even the file, before an event completes', async () => {
  const walPath = join(tempFolder(), 'events.jsonl');
  await using bus = new EventBus({ walPath });
  const door = gate();
  bus.on(Step, () => door.opened);
  const dispatch = bus.dispatch(new Step({ n: 1 }));
  await ticks();
  expect(existsSync(walPath)).toBe(false);
  door.open();
  await dispatch;
  await bus.waitUntilIdle();
  expect(linesOf(walPath)).toHaveLength(1);
});

test('wal - lines stand in the order of completion: a child before its parent', async () => {
  const walPath = join(tempFolder(), 'events.jsonl');
  await using bus = new EventBus({ walPath });
  bus.on(Step, async ({ n }) => {
    await bus.dispatch(new Child({ n }));
    bus.dispatch(new Child({ n: n + 100 }));
    if (n === 2) throw new Error('failed events are logged as well');
  });
  bus.dispatch(new Step({ n: 1 }));
  bus.dispatch(new Step({ n: 2 }));
  await bus.waitUntilIdle();
  expect(linesOf(walPath).map(({ event_type, n }) => `${event_type}${n}`)).toEqual([
    'Child1',
    'Child2',
    'Child101',
    'Step1',
    'Child102',
    'Step2',
  ]);
});

test('wal - a forwarded event has one line in the log of each bus', async () => {
  const folder = tempFolder();
  const paths = [join(folder, 'a.jsonl'), join(folder, 'b.jsonl')] as const;
  await using a = new EventBus({ name: 'WalA', walPath: paths[0] });
  await using b = new EventBus({ name: 'WalB', walPath: paths[1] });
  a.on('*', b.dispatch);
  await a.dispatch(new Step({ n: 1 }));
  await Promise.all([a.waitUntilIdle(), b.waitUntilIdle()]);
  for (const path of paths) expect(linesOf(path).map(({ event_path }) => event_path)).toEqual([['WalA', 'WalB']]);
});

test('wal - two buses may share a file: every line is whole', async () => {
  const walPath = join(tempFolder(), 'events.jsonl');
  await using a = new EventBus({ walPath, maxPending: null });
  await using b = new EventBus({ walPath, maxPending: null });
  const text = 'x'.repeat(2_000);
  for (let n = 0; n < 1_000; n += 1) {
    a.dispatch(new Step({ n, text } as { n: number }));
    b.dispatch(new Child({ n, text } as { n: number }));
    if (n % 100 === 0) await ticks(2);
  }
  await Promise.all([a.waitUntilIdle(), b.waitUntilIdle()]);
  const lines = linesOf(walPath);
  for (const type of ['Step', 'Child']) {
    const own = lines.filter(({ event_type }) => event_type === type).map(({ n }) => n);
    expect(own).toEqual(Array.from({ length: 1_000 }, (_, n) => n));
  }
});

test('wal - waitUntilIdle and stop return when the lines are in the file', async () => {
  const walPath = join(tempFolder(), 'events.jsonl');
  const bus = new EventBus({ walPath, maxPending: null });
  for (let n = 0; n < 500; n += 1) bus.dispatch(new Step({ n }));
  await bus.waitUntilIdle();
  expect(linesOf(walPath)).toHaveLength(500);
  for (let n = 0; n < 500; n += 1) bus.dispatch(new Step({ n }));
  await ticks(1);
  await bus.stop();
  expect(linesOf(walPath)).toHaveLength(1_000);
});

test('wal - what stop() ends is logged as well', async () => {
  const walPath = join(tempFolder(), 'events.jsonl');
  const bus = new EventBus({ walPath });
  bus.on(Step, () => gate().opened);
  bus.dispatch(new Step({ n: 1 }));
  bus.dispatch(new Step({ n: 2 }));
  await ticks();
  await bus.stop();
  expect(linesOf(walPath).map(({ n }) => n)).toEqual([1, 2]);
});

test('wal - a write error is logged, the lines are kept and written with the next event', async () => {
  const walPath = join(tempFolder(), 'events.jsonl');
  mkdirSync(walPath);
  const logger = logRecorder();
  await using bus = new EventBus({ name: 'Blocked', walPath, logger });
  bus.on(Step, () => 'ok');
  expect(await bus.dispatch(new Step({ n: 1 })).eventResult()).toBe('ok');
  await bus.waitUntilIdle();
  expect(logger.errors[0]).toMatch(/^Blocked: could not write to .*events\.jsonl: EISDIR.*1 events are kept/);
  rmdirSync(walPath);
  await bus.dispatch(new Step({ n: 2 }));
  await bus.waitUntilIdle();
  expect(linesOf(walPath).map(({ n }) => n)).toEqual([1, 2]);
});

test('wal - stop() rejects with WalWriteError while lines are unwritten, and may be called again', async () => {
  const folder = tempFolder();
  const walPath = join(folder, 'file', 'events.jsonl');
  writeFileSync(join(folder, 'file'), 'in the way');
  const bus = new EventBus({ name: 'Stuck', walPath });
  bus.dispatch(new Step({ n: 1 }));
  bus.dispatch(new Step({ n: 2 }));
  await bus.waitUntilIdle();
  const error = await rejection(bus.stop());
  expect(isWalWriteError(error) && [error.lines, error.path, error.busName]).toEqual([2, walPath, 'Stuck']);
  expect(error.message).toMatch(/^Stuck: 2 completed events could not be written to .*: E/);
  expect(error.message).toContain('call stop() again');
  expect((error.cause as NodeJS.ErrnoException).code).toMatch(/^E/);
  expect(isWalWriteError(await rejection(bus.stop()))).toBe(true);
});

test.runIf(existsSync('/dev/full'))('wal - a full disk loses nothing that stop() does not name', async () => {
  const bus = new EventBus({ name: 'Full', walPath: '/dev/full' });
  for (let n = 0; n < 3; n += 1) await bus.dispatch(new Step({ n }));
  await bus.waitUntilIdle();
  const error = await rejection(bus.stop());
  expect(error.message).toContain('ENOSPC');
  expect(isWalWriteError(error) && error.lines).toBe(3);
});

test.skipIf(process.platform === 'win32')(
  'wal - a file that may grow no further has whole lines only, and the rest is named',
  async () => {
    const walPath = join(tempFolder(), 'events.jsonl');
    const script = `ulimit -f 8; exec "${process.execPath}" "${fileURLToPath(fixtureUrl('log-to-limit'))}" "${walPath}"`;
    const { stdout } = await promisify(execFile)('bash', ['-c', script]);
    expect(statSync(walPath).size).toBe(8 * 1024);
    const unwritten = Number(stdout);
    await using bus = new EventBus({ walPath });
    await bus.dispatch(new Step({ n: 100 }));
    await bus.waitUntilIdle();
    const read = (await collect(readWal(walPath))).map((event) => event.toJSON()['n']);
    expect(unwritten).toBeGreaterThan(0);
    expect(read).toEqual([...Array.from({ length: 100 - unwritten }, (_, n) => n), 100]);
  },
);

test('wal - what JSON has no words for comes back from the log', async () => {
  const walPath = join(tempFolder(), 'events.jsonl');
  await using bus = new EventBus({ walPath });
  const data = {
    map: new Map<unknown, unknown>([
      ['a', new Date(5)],
      [{ key: 1 }, new Set([1n, [2]])],
    ]),
    numbers: [Number.NaN, Infinity, -Infinity, -0, 1e300],
    big: -(2n ** 80n),
    bytes: new Uint8Array([1, 2, 255]),
    floats: new Float64Array([0.1, Number.NaN]),
    bigs: new BigInt64Array([-1n]),
    buffer: Buffer.from('ü'),
    raw: new Uint8Array([9, 8]).buffer,
    lookalike: { $threadbus: 'Map', value: [1] },
    never: new Date(Number.NaN),
    list: [undefined, 1],
    plain: { deep: [{ a: null }] },
  };
  await bus.dispatch(new Any({ data }));
  await bus.waitUntilIdle();
  const [restored] = await collect(readWal(walPath));
  expect((restored as unknown as { data: typeof data }).data).toStrictEqual(data);
});

test.each([
  ['a function', { list: [{ run: () => 1 }] }, 'data.list[0].run is a function'],
  ['a symbol', { mark: Symbol('x') }, 'data.mark is a symbol'],
  [
    'an instance of a class',
    {
      url: [
        new (class Account {
          id = 1;
        })(),
      ],
    },
    'data.url[0] is an instance of Account',
  ],
  ['a DataView', { view: new DataView(new ArrayBuffer(1)) }, 'data.view is a DataView'],
  ['a promise', { later: Promise.resolve() }, 'data.later is an instance of Promise'],
  ['an Error', { error: new Error('x') }, 'data.error is an instance of Error'],
])('wal - %s is refused by the path of its field, and the event completes', async (_, data, text) => {
  const walPath = join(tempFolder(), 'events.jsonl');
  const logger = logRecorder();
  await using bus = new EventBus({ name: 'Refusing', walPath, logger });
  const before = bus.dispatch(new Step({ n: 1 }));
  const event = await bus.dispatch(new Any({ data }));
  await bus.dispatch(new Step({ n: 2 }));
  await bus.waitUntilIdle();
  expect(event.event_status).toBe('completed');
  expect(logger.errors).toHaveLength(1);
  expect(logger.errors[0]).toContain(`Refusing: Any#${event.event_id.slice(-4)} is not in ${walPath}`);
  expect(logger.errors[0]).toContain(text);
  expect(linesOf(walPath).map(({ n }) => n)).toEqual([1, 2]);
  expect(before.event.event_status).toBe('completed');
});

test('wal - a cycle and a bottomless toJSON are refused, not a crash', async () => {
  const walPath = join(tempFolder(), 'events.jsonl');
  const logger = logRecorder();
  await using bus = new EventBus({ walPath, logger });
  const loop: Record<string, unknown> = { a: [] };
  (loop['a'] as unknown[]).push(loop);
  const bottomless = (): object => ({ toJSON: bottomless });
  await bus.dispatch(new Any({ data: loop }));
  await bus.dispatch(new Any({ data: bottomless() }));
  await bus.waitUntilIdle();
  expect(logger.errors[0]).toContain('data.a[0] is a reference back to an object that contains it');
  expect(logger.errors).toHaveLength(2);
});

test('wal - a bus without walPath touches no file, and a wrong walPath is refused', () => {
  expect(() => new EventBus({ walPath: '' })).toThrow('Expected walPath to be the path of a file; got the string "".');
  expect(() => new EventBus({ walPath: 5 as never })).toThrow('got 5 (number)');
});

test('wal - a file that is deleted or moved away between two events is written anew, and nothing is lost', async () => {
  const folder = tempFolder();
  const path = join(folder, 'log.jsonl');
  const bus = new EventBus({ walPath: path });
  const write = async (n: number): Promise<void> => {
    await bus.dispatch(new Step({ n }));
    await bus.waitUntilIdle();
  };
  await write(1);
  rmSync(path);
  await write(2);
  const moved = join(folder, 'moved.jsonl');
  renameSync(path, moved);
  // The old file is let go of after a second: until then lines go where it was moved to.
  for (let n = 3; !existsSync(path); n += 1) await write(n);
  await bus.stop();
  const numbers = [...linesOf(moved), ...linesOf(path)].map(({ n }) => n);
  expect(numbers).toEqual(numbers.map((_, at) => at + 2));
});

test('wal - a bus that was stopped leaves its file alone, also when its time is over', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const folder = tempFolder();
    const bus = new EventBus({ walPath: join(folder, 'logs', 'events.jsonl') });
    await bus.dispatch(new Step({ n: 1 }));
    await bus.stop();
    rmSync(join(folder, 'logs'), { recursive: true });
    vi.advanceTimersByTime(60_000);
    // Whatever it would do now, it would do it before so many answers of the file system.
    for (let n = 0; n < 50; n += 1) await stat(folder);
    expect(existsSync(join(folder, 'logs'))).toBe(false);
  } finally {
    vi.useRealTimers();
  }
});
