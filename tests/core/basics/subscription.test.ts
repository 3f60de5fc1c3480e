import { getEventListeners } from 'node:events';
import { BaseEvent, EventBus, isBusStoppedError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { gate } from '../../helpers/gate.ts';
import { thrown } from '../../helpers/thrown.ts';

const Ping = BaseEvent.extend('Ping', {});

async function runs(bus: EventBus): Promise<number> {
  return (await bus.dispatch(new Ping())).event_results.size;
}

test('subscription - ends when it is called, and twice does no harm', async () => {
  await using bus = new EventBus();
  const off = bus.on(Ping, () => 1);
  expect(await runs(bus)).toBe(1);
  off();
  off();
  expect(await runs(bus)).toBe(0);
});

test('subscription - ends with its block', async () => {
  await using bus = new EventBus();
  {
    using _subscription = bus.on(Ping, () => 1);
    expect(await runs(bus)).toBe(1);
  }
  expect(await runs(bus)).toBe(0);
});

test('subscription - of the same function twice: each ends its own registration', async () => {
  await using bus = new EventBus();
  const handle = (): number => 1;
  const first = bus.on(Ping, handle);
  const second = bus.on(Ping, handle);
  first();
  expect(await runs(bus)).toBe(1);
  second();
  expect(await runs(bus)).toBe(0);
});

test('subscription - off takes one function off, or all of a pattern', async () => {
  await using bus = new EventBus();
  const a = (): string => 'a';
  const b = (): string => 'b';
  for (const handler of [a, a, b]) bus.on(Ping, handler);
  bus.on('*', a);
  bus.off(Ping, a);
  expect(await bus.dispatch(new Ping()).eventResultsList()).toEqual(['b', 'a']);
  bus.off('Ping');
  expect(await bus.dispatch(new Ping()).eventResultsList()).toEqual(['a']);
  bus.off('*', a);
  bus.off('*', a);
  expect(await runs(bus)).toBe(0);
});

test('subscription - off with something that is no function is refused rather than taking all off', async () => {
  await using bus = new EventBus({ name: 'Careful' });
  bus.on(Ping, () => 1);
  expect(thrown(() => bus.off(Ping, null as never)).message).toBe(
    "Expected the handler to take off for 'Ping' on Careful to be a function; got null. Leave it out to take all off.",
  );
  expect(await runs(bus)).toBe(1);
});

test('subscription - once ends it when the first event that matches starts', async () => {
  await using bus = new EventBus();
  const seen: string[] = [];
  bus.on(Ping, ({ event_id }) => void seen.push(event_id), { once: true });
  const first = bus.dispatch(new Ping());
  const second = bus.dispatch(new Ping());
  await Promise.all([first, second]);
  expect(seen).toEqual([first.event.event_id]);
});

test('subscription - a signal ends it, and one that has aborted begins none', async () => {
  await using bus = new EventBus();
  const controller = new AbortController();
  bus.on(Ping, () => 1, { signal: controller.signal });
  expect(await runs(bus)).toBe(1);
  controller.abort();
  bus.on(Ping, () => 2, { signal: controller.signal });
  expect(await runs(bus)).toBe(0);
});

test('subscription - however it ends, nothing of it stays on the signal', async () => {
  await using bus = new EventBus();
  const { signal } = new AbortController();
  const handle = (): number => 1;
  bus.on(Ping, () => 1, { signal })();
  bus.on(Ping, () => 2, { signal, once: true });
  bus.on(Ping, handle, { signal });
  bus.on('*', () => 3, { signal });
  await bus.dispatch(new Ping());
  bus.off(Ping, handle);
  expect(getEventListeners(signal, 'abort')).toHaveLength(1);
  await bus.stop({ clear: true });
  expect(getEventListeners(signal, 'abort')).toHaveLength(0);
});

test('subscription - options that make no sense are refused', () => {
  const bus = new EventBus();
  const on = (options: unknown) => () => bus.on(Ping, () => 1, options as object);
  expect(thrown(on({ once: 1 })).message).toBe('Expected once to be true or false; got 1 (number).');
  expect(thrown(on({ signal: {} })).message).toBe('Expected signal to be an AbortSignal; got an object (Object).');
  expect(thrown(on(null)).message).toBe('Expected the options of on to be an object; got null.');
  expect(thrown(on({ onec: true })).message).toBe(
    "on has no option 'onec'. It has: once, signal, timeout. Did you mean 'once'?",
  );
});

test('subscription - a stopped bus takes none, but lets go', async () => {
  const bus = new EventBus({ name: 'Done' });
  const off = bus.on(Ping, () => 1);
  await bus.stop();
  const error = thrown(() => bus.on(Ping, () => 2));
  expect(isBusStoppedError(error)).toBe(true);
  expect(error.message).toContain('Done was stopped');
  off();
  bus.off(Ping);
});

test('subscription - 50,000 come and go without a trace', async () => {
  await using bus = new EventBus();
  const offs = Array.from({ length: 50_000 }, (_, i) => bus.on(i % 2 === 0 ? 'Ping' : '*', () => i));
  expect(String(bus)).toContain('50000 👂');
  for (const off of offs) off();
  expect(String(bus)).toContain(' 0 👂');
  expect(await runs(bus)).toBe(0);
});

test('subscription - a handler that takes itself off while it runs has its result', async () => {
  await using bus = new EventBus();
  const door = gate();
  const off = bus.on(Ping, async () => {
    off();
    await door.opened;
    return 'done';
  });
  const dispatch = bus.dispatch(new Ping());
  door.open();
  expect(await dispatch.eventResult()).toBe('done');
});

test('subscription - whatever the order in which registrations of several functions end, the rest stay', async () => {
  // All orders of ending four registrations, two of which are of one function.
  for (const order of orders([0, 1, 2, 3])) {
    await using bus = new EventBus();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => () => name) as [() => string, () => string, () => string];
    const handlers = [a, b, a, c];
    const subscriptions = handlers.map((handler) => bus.on(Ping, handler));
    const left = new Set([0, 1, 2, 3]);
    for (const ended of order) {
      subscriptions[ended]?.();
      left.delete(ended);
      const names = [...new Set([...left].map((at) => handlers[at]?.()))];
      const results = await bus.dispatch(new Ping()).eventResultsList({ raiseIfNone: false });
      expect({ order, ended, results }).toEqual({ order, ended, results: names });
    }
    bus.on(Ping, a);
    bus.off(Ping, a);
    expect((await bus.dispatch(new Ping())).event_results.size).toBe(0);
  }
});

test('subscription - more patterns come and go than are kept', async () => {
  await using bus = new EventBus();
  for (let n = 0; n < 2_500; n += 1) bus.on(`Made${n}`, () => n, { once: true })();
  const subscription = bus.on('Made7', () => 'again');
  expect(await bus.dispatch(new BaseEvent({}, { event_type: 'Made7' })).eventResult()).toBe('again');
  subscription();
  expect((await bus.dispatch(new BaseEvent({}, { event_type: 'Made2499' }))).event_results.size).toBe(0);
});

function orders(items: readonly number[]): number[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) => orders(items.filter((other) => other !== item)).map((rest) => [item, ...rest]));
}
