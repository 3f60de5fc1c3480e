import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  BaseEvent,
  compactWal,
  EventBus,
  isEventStateError,
  isUnserializableError,
  isWalWriteError,
  readWal,
} from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { collect } from '../../helpers/collect.ts';
import { gate, rejection, stateOf, ticks } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const Order = BaseEvent.extend('Order', { n: z.number() });
const Ship = BaseEvent.extend('Ship', { n: z.number() });

function logFile(): string {
  return join(tempFolder(), 'orders.jsonl');
}

async function incomplete(path: string | URL): Promise<number[]> {
  const events = await collect(readWal(path, { incomplete: true }));
  return events.map((event) => (event as unknown as { n: number }).n);
}

for (const walSync of [false, true]) {
  test(`ahead - an arrival is in the file before its first handler starts; walSync ${walSync}`, async () => {
    const walPath = logFile();
    const bus = quietBus({ walPath, walMode: 'ahead', walSync });
    const seen: string[] = [];
    bus.on(
      Order,
      ({ event_id }) => void seen.push(readFileSync(walPath, 'utf8').includes(event_id) ? 'logged' : 'early'),
    );
    await Promise.all([1, 2, 3].map((n) => bus.dispatch(new Order({ n }))));
    expect(seen).toEqual(['logged', 'logged', 'logged']);
  });

  test(`ahead - logged() resolves when the arrival is written, be its handlers as slow as they are; walSync ${walSync}`, async () => {
    const walPath = logFile();
    const bus = quietBus({ walPath, walMode: 'ahead', walSync });
    bus.on(Order, () => gate().opened);
    const dispatches = [1, 2].map((n) => bus.dispatch(new Order({ n })));
    await Promise.all(dispatches.map((dispatch) => dispatch.logged()));
    await dispatches[0]?.logged();
    expect(await incomplete(walPath)).toEqual([1, 2]);
    expect(dispatches[1]?.event.event_status).toBe('pending');
  });
}

test('ahead - events keep their order, and awaited ones go ahead of the queue as ever', async () => {
  const bus = quietBus({ walPath: logFile(), walMode: 'ahead' });
  const order: string[] = [];
  bus.on(Order, async ({ n }) => {
    order.push(`order ${n}`);
    await bus.dispatch(new Ship({ n }));
    order.push(`shipped ${n}`);
  });
  bus.on(Ship, ({ n }) => void order.push(`ship ${n}`));
  bus.dispatch(new Order({ n: 1 }));
  bus.dispatch(new Order({ n: 2 }));
  await bus.waitUntilIdle();
  expect(order).toEqual(['order 1', 'ship 1', 'shipped 1', 'order 2', 'ship 2', 'shipped 2']);
});

test('ahead - what a crash has interrupted comes back under its own id, and is complete once it was done', async () => {
  const walPath = logFile();
  const first = quietBus({ name: 'First', walPath, walMode: 'ahead' });
  first.on(Order, ({ n }) => (n === 1 ? 'done' : gate().opened));
  const ids = [1, 2, 3].map((n) => first.dispatch(new Order({ n }, { event_timeout: 7 })).event.event_id);
  await ticks();
  // The process would be gone now; its bus can't say anything more.
  const second = quietBus({ name: 'Second', walPath, walMode: 'ahead' });
  const seen: unknown[] = [];
  second.on(Order, (event) => void seen.push([event.event_id, event.n, event.event_timeout]));
  for await (const event of readWal(walPath, { incomplete: true })) second.dispatch(event);
  await second.waitUntilIdle();
  expect(seen).toEqual([
    [ids[1], 2, 7],
    [ids[2], 3, 7],
  ]);
  expect(await incomplete(walPath)).toEqual([]);
});

test('ahead - failed is an end; cut off by stop() is none, queued or running', async () => {
  const walPath = logFile();
  const bus = quietBus({ walPath, walMode: 'ahead' });
  bus.on(Order, ({ n }) => {
    if (n === 1) throw new Error('refused');
    return gate().opened;
  });
  for (const n of [1, 2, 3]) bus.dispatch(new Order({ n }));
  await ticks();
  await bus.stop();
  expect(await incomplete(walPath)).toEqual([2, 3]);
  expect((await collect(readWal(walPath))).map(({ event_outcome }) => event_outcome)).toEqual([
    'failed',
    'cancelled',
    'cancelled',
  ]);
});

test('ahead - a stopped event is dispatched again on a bus of the same name, with the path that it came with', async () => {
  const walPath = logFile();
  for (const walMode of ['ahead', 'completed'] as const) {
    const front = quietBus({ name: 'Front' });
    const bus = quietBus({ name: 'Back', walPath, walMode });
    front.on('*', bus.dispatch);
    bus.on(Order, () => gate().opened);
    front.dispatch(new Order({ n: 1 }));
    await ticks();
    await bus.stop();
    await front.stop();
    const [event] = await collect(readWal(walPath, { incomplete: true }));
    expect(event?.event_path).toEqual(['Front']);
    await using again = new EventBus({ name: 'Back', walPath });
    again.on(Order, () => 'done');
    expect(await again.dispatch(event as BaseEvent).eventResult()).toBe('done');
    expect(await incomplete(walPath)).toEqual([]);
  }
});

test('ahead - arrivals that can not be written wait, in order, and nothing of them runs; logged() tells', async () => {
  const walPath = logFile();
  mkdirSync(walPath);
  const bus = quietBus({ walPath, walMode: 'ahead', maxPending: 3 });
  const ran: number[] = [];
  bus.on(Order, ({ n }) => void ran.push(n));
  const dispatches = [1, 2, 3].map((n) => bus.dispatch(new Order({ n })));
  for (const dispatch of dispatches) expect(isWalWriteError(await rejection(dispatch.logged()))).toBe(true);
  expect(ran).toEqual([]);
  expect(isWalWriteError(await rejection((async () => bus.dispatch(new Order({ n: 4 })))()))).toBe(true);
  rmdirSync(walPath);
  await Promise.all(dispatches);
  await dispatches[2]?.logged();
  await bus.dispatch(new Order({ n: 5 }));
  expect(ran).toEqual([1, 2, 3, 5]);
});

test('ahead - they are tried again without anybody asking', async () => {
  const walPath = logFile();
  mkdirSync(walPath);
  const bus = quietBus({ walPath, walMode: 'ahead' });
  const dispatch = bus.dispatch(new Order({ n: 1 }));
  await rejection(dispatch.logged());
  rmdirSync(walPath);
  await dispatch;
  expect(dispatch.event.event_status).toBe('completed');
});

test('ahead - stop() ends what waits for the log, and says what it could not write', async () => {
  const walPath = logFile();
  mkdirSync(walPath);
  const bus = new EventBus({
    walPath,
    walMode: 'ahead',
    logger: silent,
  });
  bus.on(Order, () => 'never');
  const dispatch = bus.dispatch(new Order({ n: 1 }));
  const error = await rejection(bus.stop());
  expect(isWalWriteError(error) && error.lines).toBe(2);
  expect((await dispatch).event_outcome).toBe('cancelled');
});

const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };
function ignore(): void {}

test('ahead - logged() without it is an EventStateError', async () => {
  for (const bus of [quietBus(), quietBus({ walPath: logFile() })]) {
    const error = await rejection(bus.dispatch(new Order({ n: 1 })).logged());
    expect(isEventStateError(error)).toBe(true);
    expect(error.message).toContain("walMode: 'ahead'");
  }
});

test('ahead - an event that can not be written is refused, and leaves no trace', async () => {
  const bus = quietBus({ walPath: logFile(), walMode: 'ahead' });
  const event = new BaseEvent({ run: () => 1 }, { event_type: 'Order' });
  expect(isUnserializableError(await rejection((async () => bus.dispatch(event))()))).toBe(true);
  expect([bus.eventHistory.size, event.event_path]).toEqual([0, []]);
  expect(await bus.waitUntilIdle()).toBe(true);
});

test('ahead - an event that has become unwritable ends in the log all the same', async () => {
  const walPath = logFile();
  const bus = quietBus({ walPath, walMode: 'ahead' });
  bus.on('Order', (event) => void Object.assign(event, { run: () => 1 }));
  await bus.dispatch(new BaseEvent({ n: 1 }, { event_type: 'Order' }));
  expect(await incomplete(walPath)).toEqual([]);
  expect(await collect(readWal(walPath))).toEqual([]);
});

test.each([
  [{ walMode: 'ahead' }, 'walMode says how a bus logs'],
  [{ walSync: true }, 'walSync says how a bus logs'],
  [{ walPath: 'x', walMode: 'behind' }, "Expected walMode to be 'completed' or 'ahead'"],
  [{ walPath: 'x', walSync: 1 }, 'Expected walSync to be true or false'],
  [{ walPath: new URL('https://example.org/log') }, 'Expected walPath to be the path of a file'],
])('ahead - options that make no sense are a TypeError: %j', (options, text) => {
  expect(() => new EventBus(options as never)).toThrow(TypeError);
  expect(() => new EventBus(options as never)).toThrow(text);
});

test('incomplete - a log that is not there is one of nothing; one of completed events alone has none', async () => {
  const walPath = logFile();
  expect(await incomplete(walPath)).toEqual([]);
  await compactWal(walPath);
  expect(existsSync(walPath)).toBe(false);
  const bus = quietBus({ walPath });
  await bus.dispatch(new Order({ n: 1 }));
  expect(await incomplete(walPath)).toEqual([]);
});

test('compact-wal - keeps what is incomplete and lines that tell of no event, and leaves nothing behind', async () => {
  const walPath = logFile();
  const url = pathToFileURL(walPath);
  const bus = quietBus({ walPath: url, walMode: 'ahead' });
  bus.on(Order, ({ n }) => (n < 100 ? 'done' : gate().opened));
  await Promise.all(Array.from({ length: 50 }, (_, n) => bus.dispatch(new Order({ n }))));
  const open = bus.dispatch(new Order({ n: 100 }));
  const queued = bus.dispatch(new Order({ n: 101 }));
  await queued.logged();
  appendFileSync(walPath, 'a note of somebody else\n');
  await compactWal(url);
  expect(readdirSync(dirname(walPath))).toEqual(['orders.jsonl']);
  expect(readFileSync(walPath, 'utf8').trim().split('\n')).toHaveLength(3);
  expect(await collect(readWal(walPath, { incomplete: true, onBadLine: 'skip' }))).toHaveLength(2);
  expect(await stateOf(open)).toBe('pending');
  await bus.stop();
  await compactWal(walPath);
  const left = await collect(readWal(walPath, { incomplete: true, onBadLine: 'skip' }));
  expect(left.map(({ event_id }) => event_id)).toEqual([open.event.event_id, queued.event.event_id]);
});

test('compact-wal - beside a bus that writes, over and over: nothing is lost, nothing complete comes back', async () => {
  const walPath = logFile();
  const bus = quietBus({ walPath, walMode: 'ahead', maxPending: null });
  const work = { over: false };
  bus.on(Order, async ({ n }) => {
    if (n % 10 === 0) await gate().opened;
    await new Promise<void>((resolve) => void setImmediate(resolve));
  });
  const parallel = quietBus({ walPath, walMode: 'ahead', maxPending: null });
  parallel.on(Ship, async () => new Promise<void>((resolve) => void setImmediate(resolve)));
  const compacting = (async () => {
    let times = 0;
    while (!work.over || times < 5) {
      await Promise.all([compactWal(walPath), compactWal(walPath)]);
      times += 1;
    }
    return times;
  })();
  const shipped: Promise<BaseEvent>[] = [];
  for (let n = 1; n <= 400; n += 1) {
    shipped.push(parallel.dispatch(new Ship({ n })).then((event) => event));
    if (n % 10 === 0) await bus.dispatch(new Order({ n })).logged();
  }
  await Promise.all(shipped);
  work.over = true;
  expect(await compacting).toBeGreaterThanOrEqual(5);
  expect(await incomplete(walPath)).toEqual(Array.from({ length: 40 }, (_, n) => (n + 1) * 10));
  expect(readdirSync(dirname(walPath))).toEqual(['orders.jsonl']);
});
