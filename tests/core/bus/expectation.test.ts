import { AsyncLocalStorage } from 'node:async_hooks';
import { BaseEvent, EventBus, isBusStoppedError, isTimeoutError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { gate, rejection, stateOf, ticks } from '../../helpers/gate.ts';

const Order = BaseEvent.extend('Order', { n: z.number() });
const Paid = BaseEvent.extend('Paid', { n: z.number() });

test('expectation - resolves to the event itself, by class or by type', async () => {
  await using bus = new EventBus();
  const byClass = bus.expect(Order);
  const byType = bus.expect('Order');
  const event = new Order({ n: 1 });
  bus.dispatch(event);
  expect(await byClass).toBe(event);
  expect(await byType).toBe(event);
});

test('expectation - resolves when the event is dispatched, not when it completes', async () => {
  await using bus = new EventBus();
  const door = gate();
  bus.on(Order, () => door.opened);
  const wait = bus.expect(Order);
  const dispatch = bus.dispatch(new Order({ n: 1 }));
  expect((await wait).event_status).not.toBe('completed');
  expect(await stateOf(dispatch)).toBe('pending');
  door.open();
  await dispatch;
});

test('expectation - an event that is forwarded here counts', async () => {
  await using main = new EventBus();
  await using bus = new EventBus();
  main.on('*', bus.dispatch);
  const wait = bus.expect(Order);
  const { event } = main.dispatch(new Order({ n: 1 }));
  expect(await wait).toBe(event);
});

test('expectation - rejects with TimeoutError when its time is up', async () => {
  await using bus = new EventBus({ name: 'Expecting' });
  const error = await rejection(bus.expect(Order, { timeout: 0.01 }));
  expect(isTimeoutError(error) && [error.timeout, error.busName]).toEqual([0.01, 'Expecting']);
  expect(error.message).toBe("No 'Order' that matches was dispatched to Expecting within 0.01 s.");
});

test('expectation - timeout 0 fails at once; without one it waits', async () => {
  await using bus = new EventBus();
  expect(isTimeoutError(await rejection(bus.expect(Order, { timeout: 0 })))).toBe(true);
  const waits = [undefined, null, Infinity, 1e12].map((timeout) => bus.expect(Order, { timeout }));
  expect(await Promise.all(waits.map(stateOf))).toEqual(['pending', 'pending', 'pending', 'pending']);
  const { event } = bus.dispatch(new Order({ n: 1 }));
  expect(await Promise.all(waits)).toEqual([event, event, event, event]);
});

test('expectation - include, predicate and exclude: the first two must agree, the last overrides', async () => {
  await using bus = new EventBus();
  const wait = bus.expect(Order, {
    include: ({ n }) => n > 1,
    predicate: ({ n }) => n % 2 === 1,
    exclude: ({ n }) => n === 3,
  });
  for (const n of [1, 2, 3, 4, 5, 7]) bus.dispatch(new Order({ n }));
  expect((await wait).n).toBe(5);
});

test('expectation - filters are asked once per event, in order of dispatch', async () => {
  await using bus = new EventBus();
  const seen: number[] = [];
  const wait = bus.expect(Order, {
    include: ({ n }) => {
      seen.push(n);
      return seen.length > 3;
    },
  });
  for (const n of [10, 20, 30, 40, 50]) bus.dispatch(new Order({ n }));
  expect((await wait).n).toBe(40);
  expect(seen).toEqual([10, 20, 30, 40]);
});

test('expectation - what was dispatched before is no match', async () => {
  await using bus = new EventBus();
  const door = gate();
  bus.on(Order, () => door.opened);
  await bus.dispatch(new Paid({ n: 0 }));
  bus.dispatch(new Order({ n: 1 }));
  bus.dispatch(new Order({ n: 2 }));
  await ticks();
  const waits = [bus.expect(Order), bus.expect(Paid)];
  expect(await Promise.all(waits.map(stateOf))).toEqual(['pending', 'pending']);
  const { event } = bus.dispatch(new Order({ n: 3 }));
  expect(await waits[0]).toBe(event);
  door.open();
  bus.dispatch(new Paid({ n: 4 }));
  await waits[1];
});

test('expectation - several at once: each gets its first match, one event may serve many', async () => {
  await using bus = new EventBus();
  const waits = [
    bus.expect(Order),
    bus.expect(Order, { include: ({ n }) => n === 2 }),
    bus.expect(Paid),
    bus.expect('*'),
  ];
  bus.dispatch(new Order({ n: 1 }));
  bus.dispatch(new Paid({ n: 5 }));
  bus.dispatch(new Order({ n: 2 }));
  expect((await Promise.all(waits)).map((event) => event.toJSON()['n'])).toEqual([1, 2, 5, 1]);
});

test('expectation - is no handler and leaves no result', async () => {
  await using bus = new EventBus();
  const wait = bus.expect(Order);
  expect(String(bus)).toContain(' 0 👂');
  const event = await bus.dispatch(new Order({ n: 1 }));
  await wait;
  expect(event.event_results.size).toBe(0);
});

test('expectation - a filter that throws rejects that one wait and nothing else', async () => {
  await using bus = new EventBus();
  const boom = new Error('in the filter');
  const broken = bus.expect(Order, {
    include: () => {
      throw boom;
    },
  });
  const fine = bus.expect(Order);
  const event = await bus.dispatch(new Order({ n: 1 }));
  expect(await rejection(broken)).toBe(boom);
  expect(await fine).toBe(event);
  expect(event.event_results.size).toBe(0);
});

test('expectation - inside a handler it sees what that handler, or anyone, dispatches', async () => {
  await using bus = new EventBus();
  bus.on(Order, async ({ n }) => {
    const wait = bus.expect(Paid, { include: (paid) => paid.n === n, timeout: 5 });
    setImmediate(() => void bus.dispatch(new Paid({ n })));
    return (await wait).n;
  });
  expect(await bus.dispatch(new Order({ n: 7 })).eventResult()).toBe(7);
});

test('expectation - an event that fired before the call is found by find', async () => {
  await using bus = new EventBus();
  bus.on(Order, ({ n }, { bus: own }) => void own.dispatch(new Paid({ n })));
  await bus.dispatch(new Order({ n: 3 }));
  expect(isTimeoutError(await rejection(bus.expect(Paid, { timeout: 0.01 })))).toBe(true);
  expect((await bus.find(Paid))?.n).toBe(3);
});

test('expectation - is registered before the call returns', async () => {
  await using bus = new EventBus();
  const wait = bus.expect(Order);
  const { event } = bus.dispatch(new Order({ n: 1 }));
  expect(await wait).toBe(event);
});

test('expectation - a signal ends it with its reason', async () => {
  await using bus = new EventBus();
  const controller = new AbortController();
  const wait = bus.expect(Order, { signal: controller.signal });
  const reason = new Error('not any more');
  controller.abort(reason);
  expect(await rejection(wait)).toBe(reason);
  expect(await rejection(bus.expect(Order, { signal: controller.signal }))).toBe(reason);
});

test('expectation - stop() ends it with BusStoppedError, and a stopped bus begins none', async () => {
  const bus = new EventBus();
  const wait = bus.expect(Order);
  const stopped = rejection(wait);
  await bus.stop();
  expect(isBusStoppedError(await stopped)).toBe(true);
  expect(isBusStoppedError(await rejection(bus.expect(Order)))).toBe(true);
});

test('expectation - filters run in the context of whoever waits', async () => {
  await using bus = new EventBus();
  const user = new AsyncLocalStorage<string>();
  const seen: (string | undefined)[] = [];
  const include = (): boolean => {
    seen.push(user.getStore());
    return true;
  };
  const wait = user.run('waiter', () => bus.expect(Order, { include }));
  user.run('dispatcher', () => void bus.dispatch(new Order({ n: 1 })));
  await wait;
  expect(seen).toEqual(['waiter']);
});

test.each([
  [{ timeout: -1 }, 'got -1'],
  [{ timeout: Number.NaN }, 'got NaN'],
  [{ timeout: 'soon' }, 'Expected timeout (seconds) to be a number or null; got the string "soon".'],
  [{ include: true }, 'Expected include to be a function; got true (boolean).'],
  [{ exclude: 'x' }, 'Expected exclude to be a function; got the string "x".'],
  [{ predicate: {} }, 'Expected predicate to be a function; got an object (Object).'],
  [{ signal: new AbortController() }, 'Expected signal to be an AbortSignal; got an object (AbortController).'],
  [{ timout: 5 }, "expect has no option 'timout'. It has: include, exclude, predicate, timeout, signal."],
  [() => true, 'Expected the options of expect to be an object; got a function.'],
])('expectation - the options %o are refused', async (options, text) => {
  await using bus = new EventBus();
  expect((await rejection(bus.expect(Order, options as never))).message).toContain(text);
  expect((await rejection(bus.expect(5 as never))).message).toContain('Expected a pattern to be an event class');
});
