import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { BaseEvent, EventBus } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { runProgram } from '../../helpers/run-program.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Step = BaseEvent.extend('Step', { n: z.number() });
const Child = BaseEvent.extend('Child', { n: z.number() });

function lines(path: string): string[] {
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8').split('\n').slice(0, -1);
}

const modes = [{ walSync: false }, { walSync: true }] as const;

test.each(modes)('completion - nobody is told before the line is in the file: %j', async (mode) => {
  const walPath = join(tempFolder(), 'log.jsonl');
  await using bus = new EventBus({ walPath, maxPending: null, ...mode });
  bus.on(Step, async ({ n }) => void (await Promise.resolve(n)));
  const known: number[] = [];
  bus.observe({ completed: () => void known.push(lines(walPath).length) });
  const dispatched = Array.from({ length: 20 }, (_, n) => bus.dispatch(new Step({ n })));
  await Promise.all(
    dispatched.map(async (dispatch, n) => {
      const { event_id } = await dispatch;
      expect(lines(walPath)[n]).toContain(event_id);
    }),
  );
  expect(await bus.dispatch(new Step({ n: 20 })).eventResult({ raiseIfNone: false })).toBeNull();
  expect(lines(walPath)).toHaveLength(21);
  for (const [n, written] of known.entries()) expect(written).toBeGreaterThan(n);
});

test.each(modes)(
  'completion - inside a handler, too: the child that it has awaited is in the file: %j',
  async (mode) => {
    const walPath = join(tempFolder(), 'log.jsonl');
    await using bus = new EventBus({ walPath, ...mode });
    bus.on(Step, async ({ n }) => {
      const { event_id } = await bus.dispatch(new Child({ n }));
      expect(lines(walPath).at(-1)).toContain(event_id);
      return 'seen';
    });
    expect(await bus.dispatch(new Step({ n: 1 })).eventResult()).toBe('seen');
  },
);

test.each(modes)('completion - until the line is written the event is started, whoever looks: %j', async (mode) => {
  const walPath = join(tempFolder(), 'log.jsonl');
  await using bus = new EventBus({ walPath, ...mode });
  const { event } = bus.dispatch(new Step({ n: 1 }));
  while (lines(walPath).length === 0) {
    expect([event.event_status, event.event_outcome]).not.toContain('completed');
    await Promise.resolve();
    if (mode.walSync) await new Promise<void>((resolve) => void setImmediate(resolve));
  }
  await event.eventCompleted();
});

test('completion - of two buses with a log of their own, both have the line', async () => {
  const folder = tempFolder();
  const paths = ['a', 'b'].map((name) => join(folder, name)) as [string, string];
  const a = quietBus({ walPath: paths[0], walSync: true });
  const b = quietBus({ walPath: paths[1] });
  a.on('*', b.dispatch);
  const { event_id } = await a.dispatch(new Step({ n: 1 }));
  for (const path of paths) expect(lines(path)).toEqual([expect.stringContaining(event_id)]);
});

test('completion - a family in one log takes one write, children first', async () => {
  const walPath = join(tempFolder(), 'log.jsonl');
  await using bus = new EventBus({ walPath, walSync: true, maxRecursionDepth: null });
  bus.on(Step, ({ n }) => {
    if (n > 0) bus.dispatch(new Step({ n: n - 1 }));
  });
  const parent = await bus.dispatch(new Step({ n: 50 }));
  const text = readFileSync(walPath, 'utf8');
  expect(text.split('\t')).toHaveLength(2);
  const order = lines(walPath).map((line) => (JSON.parse(line) as { n: number }).n);
  expect(order).toEqual(Array.from({ length: 51 }, (_, n) => n));
  expect(parent.event_children[0]?.event_status).toBe('completed');
});

test('completion - many events, few writes', async () => {
  const walPath = join(tempFolder(), 'log.jsonl');
  await using bus = new EventBus({ walPath, maxPending: null, parallelHandlers: true });
  bus.on(Step, async () => Promise.resolve());
  await Promise.all(Array.from({ length: 512 }, (_, n) => bus.dispatch(new Step({ n }))));
  expect(lines(walPath)).toHaveLength(512);
  expect(readFileSync(walPath, 'utf8').split('\t').length - 1).toBeLessThan(64);
});

test('completion - with walSync, 512 in flight take few trips to the disk: one a turn of the loop', async () => {
  const walPath = join(tempFolder(), 'log.jsonl');
  await using bus = new EventBus({ walPath, walSync: true, maxPending: null, parallelHandlers: true });
  bus.on(Step, async () => Promise.resolve());
  await Promise.all(Array.from({ length: 512 }, (_, n) => bus.dispatch(new Step({ n }))));
  expect(lines(walPath)).toHaveLength(512);
  expect(readFileSync(walPath, 'utf8').split('\t').length - 1).toBeLessThanOrEqual(32);
});

test('completion - dispatched again while its line is on the way, it completes once both buses are done', async () => {
  const walPath = join(tempFolder(), 'log.jsonl');
  const a = quietBus({ walPath, walSync: true });
  const b = quietBus();
  const { event } = a.dispatch(new Step({ n: 1 }));
  while (!event.event_results.size && event.event_status === 'pending') await Promise.resolve();
  const again = b.dispatch(event);
  b.on(Step, () => 'b');
  await again;
  await a.waitUntilIdle();
  expect(event.event_status).toBe('completed');
});

test.each(['exit', 'throw', 'reject', 'SIGKILL', 'return'])(
  'completion - what was awaited is in the file when the process ends by %s',
  async (how) => {
    const walPath = join(tempFolder(), 'log.jsonl');
    const { stdout } = await runProgram('log-and-end', [walPath, how]);
    const told = stdout.trim().split('\n');
    expect(told).toHaveLength(10);
    const text = readFileSync(walPath, 'utf8');
    for (const id of told) expect(text).toContain(id);
  },
);

test('completion - what is finished and untold when the process exits is written as well', async () => {
  const walPath = join(tempFolder(), 'log.jsonl');
  await runProgram('log-and-end', [walPath, 'within']);
  expect(lines(walPath).length).toBeGreaterThanOrEqual(9);
});
