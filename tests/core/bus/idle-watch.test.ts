import { BaseEvent, EventBus, isAwaitCycleError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { gate, rejection, stateOf, ticks } from '../../helpers/gate.ts';

const Ping = BaseEvent.extend('Ping', {});
const Step = BaseEvent.extend('Step', { n: z.number() });

test('idle-watch - resolves once nothing of the bus is incomplete, children dispatched meanwhile included', async () => {
  await using bus = new EventBus();
  const door = gate();
  let ran = 0;
  bus.on(Step, async ({ n }) => {
    await door.opened;
    ran += 1;
    if (n > 0) bus.dispatch(new Step({ n: n - 1 }));
  });
  for (const n of [0, 2]) bus.dispatch(new Step({ n }));
  const idle = bus.waitUntilIdle();
  expect(await stateOf(idle)).toBe('pending');
  door.open();
  expect(await idle).toBe(true);
  expect(ran).toBe(4);
});

test('idle-watch - an event that waits for a child on another bus is incomplete', async () => {
  await using bus = new EventBus();
  await using other = new EventBus();
  const door = gate();
  bus.on(Ping, () => void other.dispatch(new Step({ n: 1 })));
  other.on(Step, () => door.opened);
  bus.dispatch(new Ping());
  const idle = bus.waitUntilIdle();
  expect(await stateOf(idle)).toBe('pending');
  door.open();
  expect(await idle).toBe(true);
});

test('idle-watch - an unused or idle bus is idle at once, as often as it is asked', async () => {
  await using bus = new EventBus();
  expect(await Promise.all([bus.waitUntilIdle(), bus.waitUntilIdle({ timeout: 0 })])).toEqual([true, true]);
  await bus.dispatch(new Ping());
  expect(await Promise.all([bus.waitUntilIdle(), bus.waitUntilIdle(), bus.waitUntilIdle()])).toEqual([
    true,
    true,
    true,
  ]);
});

test('idle-watch - is false when the time is up; 0 looks once', async () => {
  await using bus = new EventBus();
  const door = gate();
  bus.on(Ping, () => door.opened);
  bus.dispatch(new Ping());
  expect(await bus.waitUntilIdle({ timeout: 0 })).toBe(false);
  expect(await bus.waitUntilIdle({ timeout: 0.01 })).toBe(false);
  const waits = [undefined, null, Infinity, 1e12].map((timeout) => bus.waitUntilIdle({ timeout }));
  expect(await Promise.all(waits.map(stateOf))).toEqual(['pending', 'pending', 'pending', 'pending']);
  door.open();
  expect(await Promise.all(waits)).toEqual([true, true, true, true]);
});

test('idle-watch - is not fooled by errors, timeouts, recursion or eviction', async () => {
  await using bus = new EventBus({ maxHistorySize: 1, maxRecursionDepth: 2 });
  bus.on(Step, ({ n }) => {
    if (n === 1) throw new Error('one');
    if (n === 2) return new Promise(() => undefined);
    if (n === 3) bus.dispatch(new Step({ n: 3 }));
    return undefined;
  });
  for (const n of [0, 1, 2, 3]) bus.dispatch(new Step({ n }, { event_timeout: 0.01 }));
  expect(await bus.waitUntilIdle({ timeout: 10 })).toBe(true);
});

test('idle-watch - inside a handler of the bus it fails at once and says why', async () => {
  await using bus = new EventBus({ name: 'Never' });
  bus.on(Ping, async () => {
    await bus.waitUntilIdle();
  });
  const error = await rejection(bus.dispatch(new Ping()).eventResult());
  expect(isAwaitCycleError(error)).toBe(true);
  expect(error.message).toBe(
    "A handler of Ping on Never waits until Never is idle, which it can't be before the handler returns. Await the events that you need instead.",
  );
});

test('idle-watch - inside a handler that an event of the bus waits for it fails at once too', async () => {
  await using main = new EventBus({ name: 'MainIdle' });
  await using other = new EventBus({ name: 'OtherIdle' });
  main.on('Ping', other.dispatch);
  other.on(Ping, () => main.waitUntilIdle());
  const forwarded = await rejection(main.dispatch(new Ping()).eventResult());
  expect(isAwaitCycleError(forwarded)).toBe(true);
  expect(forwarded.message).toContain('A handler of Ping on OtherIdle waits until MainIdle is idle');
  main.on(Step, () => other.dispatch(new BaseEvent()).eventResult());
  other.on(BaseEvent, () => main.waitUntilIdle());
  expect(isAwaitCycleError(await rejection(main.dispatch(new Step({ n: 1 })).eventResult()))).toBe(true);
});

test('idle-watch - inside a handler of another bus that nothing here needs it waits', async () => {
  await using main = new EventBus();
  await using other = new EventBus();
  const door = gate();
  main.on(Ping, () => door.opened);
  other.on(Step, () => main.waitUntilIdle());
  main.dispatch(new Ping());
  const wait = other.dispatch(new Step({ n: 1 })).eventResult();
  expect(await stateOf(wait)).toBe('pending');
  door.open();
  expect(await wait).toBe(true);
});

test('idle-watch - a signal ends the wait', async () => {
  await using bus = new EventBus();
  bus.on(Ping, () => gate().opened);
  bus.dispatch(new Ping());
  const controller = new AbortController();
  const wait = bus.waitUntilIdle({ signal: controller.signal });
  const reason = new Error('enough');
  controller.abort(reason);
  expect(await rejection(wait)).toBe(reason);
});

test('idle-watch - stop() settles it', async () => {
  const bus = new EventBus();
  bus.on(Ping, () => gate().opened);
  bus.dispatch(new Ping());
  const waits = [bus.waitUntilIdle(), bus.waitUntilIdle({ timeout: 60 })];
  await ticks();
  await bus.stop();
  expect(await Promise.all(waits)).toEqual([true, true]);
  expect(await bus.waitUntilIdle()).toBe(true);
});

test.each([
  [{ timeout: -0.1 }, 'got -0.1'],
  [{ timeout: Number.NaN }, 'got NaN'],
  [{ timeout: '1' }, 'Expected timeout (seconds) to be a number or null; got the string "1".'],
  [{ seconds: 1 }, "waitUntilIdle has no option 'seconds'. It has: timeout, signal."],
  [5, 'Expected the options of waitUntilIdle to be an object; got 5 (number).'],
])('idle-watch - the options %o are refused', async (options, text) => {
  await using bus = new EventBus();
  expect((await rejection(bus.waitUntilIdle(options as never))).message).toContain(text);
});
