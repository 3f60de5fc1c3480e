import { BaseEvent, type EventBus } from '@threadbus/core';
import { expect, test } from 'vitest';
import { nextTurn } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Tick = BaseEvent.extend('Tick', {});

/** A bus whose handler counts its events. */
function counting(handler: () => unknown = () => undefined): { bus: EventBus; count: () => number } {
  const bus = quietBus({ maxPending: null, maxHistorySize: 10 });
  let count = 0;
  bus.on(Tick, () => {
    count += 1;
    return handler();
  });
  return { bus, count: () => count };
}

async function throughAsync<T>(wait: () => PromiseLike<T>): Promise<T> {
  // oxlint-disable-next-line no-unnecessary-await -- one more function between the event and who waits for it
  return await (async () => wait())();
}

for (const kind of ['synchronous', 'asynchronous'] as const) {
  const handler = kind === 'synchronous' ? () => undefined : async () => Promise.resolve();
  test(`fairness - with ${kind} handlers whoever awaits an event goes on before the next one starts`, async () => {
    const { bus, count } = counting(handler);
    const dispatches = Array.from({ length: 6 }, () => bus.dispatch(new Tick({})));
    const [a, b, c, d, e] = dispatches as [(typeof dispatches)[0], ...typeof dispatches];
    await a;
    expect(count()).toBe(1);
    await b?.eventResult({ raiseIfNone: false });
    expect(count()).toBe(2);
    await c?.eventCompleted({ timeout: 5 });
    expect(count()).toBe(3);
    await throughAsync(() => throughAsync(async () => d));
    expect(count()).toBe(4);
    const [result] = e?.event.event_results.values() ?? [];
    expect(result).toBeUndefined();
    await Promise.all([e, e?.eventErrors()]);
    expect(count()).toBe(5);
  });
}

const forms: Readonly<Record<string, (dispatch: ReturnType<EventBus['dispatch']>) => PromiseLike<unknown>>> = {
  await: (dispatch) => dispatch,
  'a call of then': (dispatch) => dispatch.then(() => undefined),
  eventCompleted: (dispatch) => dispatch.eventCompleted(),
  eventResult: (dispatch) => dispatch.eventResult({ raiseIfNone: false }),
  eventResultsList: (dispatch) => dispatch.eventResultsList({ raiseIfNone: false }),
  'eventResult without options': (dispatch) => dispatch.eventResult(),
  eventErrors: (dispatch) => dispatch.eventErrors(),
  finally: (dispatch) => dispatch.finally(() => undefined),
};

for (const [form, wait] of Object.entries(forms)) {
  test(`fairness - with ${form}, whoever waits goes on before an event that someone else dispatches meanwhile`, async () => {
    const handlers = [() => 1, async () => Promise.resolve(1), async () => (await Promise.resolve(), 1)];
    for (const handler of handlers) {
      for (let microtasks = 1; microtasks < 16; microtasks += 1) {
        const { bus, count } = counting(handler);
        const dispatch = bus.dispatch(new Tick({}));
        const other = (async () => {
          for (let n = 0; n < microtasks; n += 1) await Promise.resolve();
          const began = bus.dispatch(new Tick({})).event;
          return { completed: dispatch.event.event_status === 'completed', began };
        })();
        await wait(dispatch);
        const seen = count();
        const { completed } = await other;
        // Dispatched while the first was under way, or when it was done.
        expect({ microtasks, completed, seen }).toEqual({ microtasks, completed, seen: 1 });
        await bus.stop();
      }
    }
  });
}

test('fairness - of three who await each an event of one bus, each goes on before the next event', async () => {
  const { bus, count } = counting();
  const seen: number[] = [];
  await Promise.all(
    Array.from({ length: 3 }, async () => {
      await bus.dispatch(new Tick({}));
      seen.push(count());
    }),
  );
  expect(seen).toEqual([1, 2, 3]);
});

test('fairness - timers get their turn while a long queue of short events is worked off', async () => {
  const { bus, count } = counting(() => busyFor(0.5));
  let at: number | null = null;
  for (let n = 0; n < 200; n += 1) bus.dispatch(new Tick({}));
  setTimeout(() => {
    at = count();
  });
  await bus.waitUntilIdle();
  expect(at ?? 150).toBeLessThan(150);
});

test('fairness - and so they do while one event has many handlers, and while events are awaited in a loop', async () => {
  for (const parallelHandlers of [false, true]) {
    const bus = quietBus({ parallelHandlers });
    let calls = 0;
    for (let n = 0; n < 200; n += 1) {
      bus.on(Tick, () => {
        calls += 1;
        busyFor(0.5);
      });
    }
    let at: number | null = null;
    setTimeout(() => {
      at = calls;
    });
    const event = await bus.dispatch(new Tick({}));
    expect(event.event_results.size).toBe(200);
    expect(at ?? 200).toBeLessThan(200);
  }
  const { bus, count } = counting(() => busyFor(0.5));
  let at: number | null = null;
  setTimeout(() => {
    at = count();
  });
  for (let n = 0; n < 200; n += 1) await bus.dispatch(new Tick({}));
  expect(at ?? 200).toBeLessThan(200);
});

test('fairness - the order of a serial bus stays: an event, what its handler awaits, then the next', async () => {
  const bus = quietBus();
  const order: string[] = [];
  bus.on('A', async () => {
    order.push('A');
    await bus.dispatch(new BaseEvent({}, { event_type: 'Awaited' }));
    order.push('A goes on');
  });
  bus.on('Awaited', () => void order.push('awaited'));
  bus.on('B', () => void order.push('B'));
  const first = bus.dispatch(new BaseEvent({}, { event_type: 'A' }));
  const second = bus.dispatch(new BaseEvent({}, { event_type: 'B' }));
  await first;
  order.push('outside');
  await second;
  expect(order).toEqual(['A', 'awaited', 'A goes on', 'outside', 'B']);
});

function busyFor(milliseconds: number): void {
  for (const end = performance.now() + milliseconds; performance.now() < end;);
}

test('fairness - asynchronous handlers that take all the time before they return let timers pass, however few', async () => {
  const Busy = BaseEvent.extend('Busy', {});
  // What the test before has left of its turn would count: on a slow machine timers are due before the first handler.
  await nextTurn();
  const bus = quietBus();
  const order: string[] = [];
  bus.on(Busy, async () => {
    order.push('handler');
    busyFor(12);
    await Promise.resolve();
  });
  // Not more than may go before timers when they are quick.
  for (let n = 0; n < 6; n += 1) bus.dispatch(new Busy({}));
  setImmediate(() => order.push('timers and I/O'));
  await bus.waitUntilIdle();
  expect(order.filter((what) => what === 'handler')).toHaveLength(6);
  expect(order.indexOf('timers and I/O')).toBeGreaterThan(0);
  expect(order.indexOf('timers and I/O')).toBeLessThan(4);
});

test('fairness - two buses of one thread whose handlers take all the time take turns', async () => {
  const Busy = BaseEvent.extend('Busy', {});
  const order: number[] = [];
  const buses = [0, 1].map((number) => {
    const bus = quietBus({ maxPending: null });
    bus.on(Busy, () => {
      order.push(number);
      for (const start = performance.now(); performance.now() - start < 2;);
    });
    return bus;
  });
  for (const bus of buses) for (let n = 0; n < 60; n += 1) bus.dispatch(new Busy({}));
  await Promise.all(buses.map((bus) => bus.waitUntilIdle()));
  // Neither is done with its queue before the other has begun on its own.
  const turns = order.filter((number, at) => number !== order[at - 1]).length;
  expect(turns).toBeGreaterThan(8);
});
