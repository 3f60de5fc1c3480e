import { BaseEvent, type EventBus } from '@threadbus/core';
import { HandlerPool } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { moduleOf } from '../../helpers/module.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Order = BaseEvent.extend('Order', {});
const First = BaseEvent.extend('First', {}, { completion: 'first' });

/** A bus with a pool of two threads, and what ran on it, in order. */
function orderedBus(text: string, options: ConstructorParameters<typeof EventBus>[0] = {}) {
  const pool = new HandlerPool({ maxThreads: 2 });
  const bus = quietBus(options);
  const journal: string[] = [];
  onTestFinished(async () => {
    await bus.stop();
    await pool.stop();
  });
  const handler = pool.handler(
    moduleOf(`
      export default async (event, { bus }) => {
        const child = () => bus.dispatch(new event.constructor({}, { event_type: 'Child', event_timeout: 5 }));
        ${text}
      };`),
    { ordered: true },
  );
  bus.on('Child', () => void journal.push('child'));
  return { bus, handler, journal };
}

const limit = { event_timeout: 10 };

/** Two events at once, both of which come to their result. */
async function bothDone(bus: EventBus): Promise<void> {
  const [one, two] = [bus.dispatch(new Order({}, limit)), bus.dispatch(new Order({}, limit))];
  expect(await one.eventResult()).toBe('done');
  expect(await two.eventResult()).toBe('done');
}

test.each([1, 2])(
  'pool ordered - one that awaits a child lets it run at once (concurrency %i)',
  async (concurrency) => {
    const { bus, handler, journal } = orderedBus(`await child(); await child(); return 'done';`, { concurrency });
    bus.on(Order, handler);
    bus.on(Order, () => void journal.push('second handler'));
    await bothDone(bus);
    if (concurrency > 1) return;
    const each = ['child', 'child', 'second handler'];
    expect(journal).toEqual([...each, ...each]);
  },
);

test.each([1, 2])('pool ordered - one that leaves a child holds nothing up (concurrency %i)', async (concurrency) => {
  const { bus, handler, journal } = orderedBus(`void child(); return 'done';`, { concurrency });
  bus.on(Order, handler);
  bus.on(Order, () => void journal.push('second handler'));
  await bothDone(bus);
  if (concurrency > 1) return;
  // As with a function of this thread: what nobody awaits comes behind what was there before.
  expect(journal).toEqual(['second handler', 'second handler', 'child', 'child']);
});

test('pool ordered - the first result keeps the next handler from running, also if a child is left', async () => {
  const { bus, handler, journal } = orderedBus(`void child(); return 'done';`);
  bus.on(First, handler);
  bus.on(First, () => {
    journal.push('second handler');
    return 'second';
  });
  expect(await bus.dispatch(new First({}, limit)).eventResult()).toBe('done');
  expect(journal).toEqual(['child']);
});

test('pool ordered - one that leaves a child and fails has the next handler asked for the first result', async () => {
  const { bus, handler, journal } = orderedBus(`void child(); throw new Error('no');`);
  bus.on(First, handler);
  bus.on(First, () => 'second');
  expect(await bus.dispatch(new First({}, limit)).eventResult({ raiseIfAny: false })).toBe('second');
  expect(journal).toEqual(['child']);
});

test('pool ordered - the next event waits for the function of one, whatever it awaits', async () => {
  const cells = new SharedArrayBuffer(8);
  const { bus, handler } = orderedBus(
    `const cells = new Int32Array(event.cells);
     if (Atomics.add(cells, 0, 1) > 0) Atomics.store(cells, 1, 1);
     await child();
     await new Promise((resolve) => setTimeout(resolve, 5));
     Atomics.sub(cells, 0, 1);
     void child();`,
  );
  bus.on('Cells', handler);
  await Promise.all(
    Array.from({ length: 20 }, () => bus.dispatch(new BaseEvent({ cells }, { ...limit, event_type: 'Cells' }))),
  );
  expect([...new Int32Array(cells)]).toEqual([0, 0]);
});

test('pool ordered - calls within calls, awaited and left, come to an end', async () => {
  const { bus, handler, journal } = orderedBus(`if (event.depth === 0) return 'end';
    const next = (depth) => bus.dispatch(new event.constructor({ depth }, { event_type: 'Down', event_timeout: 10 }));
    void next(event.depth - 1);
    return await next(event.depth - 1).eventResult();`);
  bus.on('Down', handler);
  bus.on('Down', () => void journal.push('beside'));
  const down = new BaseEvent({ depth: 3 }, { ...limit, event_type: 'Down' });
  expect(await bus.dispatch(down).eventResult()).toBe('end');
  expect(journal).toHaveLength(15);
});
