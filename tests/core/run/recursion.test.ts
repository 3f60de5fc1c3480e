import { BaseEvent, EventBus, isRecursionLimitError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';

const Loop = BaseEvent.extend('Loop', { n: z.number() });
const Ping = BaseEvent.extend('Ping', {});
const Pong = BaseEvent.extend('Pong', {});

/** The event at the end of a chain of only children. */
function last(event: BaseEvent): BaseEvent {
  let end = event;
  for (let next = end.event_children[0]; next !== undefined; next = end.event_children[0]) end = next;
  return end;
}

test.each([1, 5, 50])(
  'recursion - a handler may be nested in itself %d times, then its event gets an error',
  async (maxRecursionDepth) => {
    await using bus = new EventBus({ name: `Depth${maxRecursionDepth}`, maxRecursionDepth });
    let runs = 0;
    bus.on(Loop, function again({ n }) {
      runs += 1;
      bus.dispatch(new Loop({ n: n + 1 }));
    });
    const root = await bus.dispatch(new Loop({ n: 0 }));
    expect(runs).toBe(maxRecursionDepth + 1);
    const [result] = last(root).event_results.values();
    expect(isRecursionLimitError(result?.error)).toBe(true);
    expect(String(result?.error)).toContain(
      `Infinite loop detected: Depth${maxRecursionDepth}.again is nested in itself ${maxRecursionDepth + 1} times through the events that it dispatches (maxRecursionDepth is ${maxRecursionDepth}). Stop dispatching Loop at some depth`,
    );
  },
);

test('recursion - awaited nesting is found as well, and every ancestor completes and goes on', async () => {
  await using bus = new EventBus({ maxRecursionDepth: 5 });
  bus.on(Loop, async ({ n }): Promise<number> => {
    const child = await bus.dispatch(new Loop({ n: n + 1 }));
    return (await child.eventResultsList({ raiseIfAny: false, raiseIfNone: false })).length;
  });
  expect(await bus.dispatch(new Loop({ n: 0 })).eventResult()).toBe(1);
  expect(await bus.waitUntilIdle({ timeout: 0 })).toBe(true);
  expect((await bus.dispatch(new Ping())).event_status).toBe('completed');
});

test('recursion - two handlers that call each other are found too; a third that is called in between is not blamed', async () => {
  await using bus = new EventBus({ maxRecursionDepth: 3 });
  const runs = { ping: 0, pong: 0 };
  bus.on(Ping, () => {
    runs.ping += 1;
    bus.dispatch(new Pong());
  });
  bus.on(Pong, () => {
    runs.pong += 1;
    bus.dispatch(new Ping());
  });
  const root = await bus.dispatch(new Ping());
  expect(root.event_status).toBe('completed');
  expect(runs).toEqual({ ping: 4, pong: 4 });
});

test('recursion - different handlers nested in one another are fine, however deep', async () => {
  await using bus = new EventBus({ maxRecursionDepth: 2 });
  const Level = Array.from({ length: 20 }, (_, i) => BaseEvent.extend(`Level${i}`, {}));
  Level.forEach((Class, i) => {
    const Next = Level[i + 1];
    bus.on(Class, () => (Next === undefined ? 'bottom' : bus.dispatch(new Next()).eventResult()));
  });
  const Top = Level[0] as NonNullable<(typeof Level)[0]>;
  expect(await bus.dispatch(new Top()).eventResult()).toBe('bottom');
});

test('recursion - forwards are exempt', async () => {
  const buses = Array.from({ length: 10 }, () => new EventBus({ maxRecursionDepth: 1 }));
  for (const bus of buses) for (const other of buses) if (other !== bus) bus.on('*', other.dispatch);
  const event = await buses[0]?.dispatch(new Ping());
  expect(event?.event_path).toHaveLength(10);
  expect([...(event?.event_results.values() ?? [])].every(({ status }) => status === 'completed')).toBe(true);
  for (const bus of buses) await bus.stop();
});

test('recursion - is found whatever the history has forgotten', async () => {
  for (const maxHistorySize of [0, 1]) {
    await using bus = new EventBus({ maxRecursionDepth: 4, maxHistorySize });
    let runs = 0;
    bus.on(Loop, ({ n }) => {
      runs += 1;
      bus.dispatch(new Loop({ n: n + 1 }));
    });
    await bus.dispatch(new Loop({ n: 0 }));
    expect(runs).toBe(5);
  }
});

test('recursion - null is no limit, and detached events are no nesting', async () => {
  await using free = new EventBus({ maxRecursionDepth: null });
  free.on(Loop, ({ n }) => {
    if (n < 200) free.dispatch(new Loop({ n: n + 1 }));
  });
  const root = await free.dispatch(new Loop({ n: 0 }));
  expect(last(root).toJSON()['n']).toBe(200);
  await using bus = new EventBus({ maxRecursionDepth: 3 });
  let runs = 0;
  bus.on(Loop, ({ n }) => {
    runs += 1;
    if (n < 20) bus.dispatch(new Loop({ n: n + 1 }), { detached: true });
  });
  bus.dispatch(new Loop({ n: 0 }));
  await bus.waitUntilIdle();
  expect(runs).toBe(21);
});
