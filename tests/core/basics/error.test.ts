import * as core from '@threadbus/core';
import { BaseEvent, EventBus, isBusError, isThrownValueError, isTimeoutError } from '@threadbus/core';
import { expect, test } from 'vitest';
import { rejection, ticks } from '../../helpers/gate.ts';
import { logRecorder } from '../../helpers/log-recorder.ts';

const Ping = BaseEvent.extend('Ping', {});

function throwing(value: unknown) {
  return (): never => {
    // oxlint-disable-next-line typescript/only-throw-error -- handlers may throw anything
    throw value;
  };
}

test('error - what a handler throws is its result’s error, the very object, logged once with where', async () => {
  const logger = logRecorder();
  await using bus = new EventBus({ name: 'Failing', logger });
  const boom = new RangeError('boom');
  function explode(): never {
    throw boom;
  }
  bus.on(Ping, explode);
  const event = await bus.dispatch(new Ping());
  const [result] = event.event_results.values();
  expect([result?.status, result?.error, result?.result]).toEqual(['error', boom, null]);
  expect(result?.completed_at).not.toBeNull();
  expect(logger.errors).toHaveLength(1);
  expect(logger.errors[0]).toContain(`Failing.explode(Ping#${event.event_id.slice(-4)}) failed: RangeError: boom\n`);
});

test('error - a failing handler stops neither the others nor later events', async () => {
  await using bus = new EventBus();
  bus.on(Ping, throwing(new Error('first')));
  bus.on(Ping, () => 'second');
  for (let i = 0; i < 2; i += 1) {
    expect(await bus.dispatch(new Ping()).eventResult({ raiseIfAny: false })).toBe('second');
  }
});

test('error - a throw, a rejection and a throw after an await are the same', async () => {
  await using bus = new EventBus();
  const errors = [new Error('sync'), new Error('async'), new Error('later')];
  bus.on(Ping, throwing(errors[0]));
  bus.on(Ping, () => Promise.reject(errors[1] ?? new Error()));
  bus.on(Ping, async () => {
    await ticks();
    throw errors[2] ?? new Error();
  });
  const event = await bus.dispatch(new Ping());
  const results = [...event.event_results.values()];
  expect(results.map(({ error }) => error)).toEqual(errors);
  expect(results.map(({ status }) => status)).toEqual(['error', 'error', 'error']);
});

test.each([
  ['str', 'the string "str"'],
  [undefined, 'undefined'],
  [null, 'null'],
  [5, '5 (number)'],
  [{ code: 1 }, 'an object (Object)'],
])('error - %o thrown is wrapped in an Error and raised', async (value, text) => {
  await using bus = new EventBus({ name: 'Odd' });
  bus.on(Ping, function odd() {
    return throwing(value)();
  });
  const error = await rejection(bus.dispatch(new Ping()).eventResult());
  expect(isThrownValueError(error)).toBe(true);
  expect(error.cause).toBe(value);
  expect(error.message).toBe(
    `Odd.odd threw something that is no Error: ${text}. Throw an Error to keep its stack; the thing thrown is in cause.`,
  );
});

test('error - an Error that is returned is a failure', async () => {
  const logger = logRecorder();
  await using bus = new EventBus({ logger });
  const boom = new Error('returned');
  bus.on(Ping, () => boom as never);
  const event = await bus.dispatch(new Ping());
  const [result] = event.event_results.values();
  expect([result?.status, result?.result, result?.error]).toEqual(['error', null, boom]);
  expect(logger.errors).toHaveLength(1);
});

test('error - of a child does not throw into the parent that awaits it', async () => {
  await using bus = new EventBus();
  const Child = BaseEvent.extend('Child', {});
  const boom = new Error('child');
  bus.on(Child, throwing(boom));
  bus.on(Ping, async () => {
    const child = await bus.dispatch(new Child());
    const [result] = child.event_results.values();
    expect(result?.error).toBe(boom);
    expect(await rejection(child.eventResult())).toBe(boom);
    return 'went on';
  });
  expect(await bus.dispatch(new Ping()).eventResult()).toBe('went on');
});

test('error - a timeout or an abort that user code throws is reported as that very error', async () => {
  await using bus = new EventBus();
  const abort = new DOMException('mine', 'AbortError');
  const timeout = new core.TimeoutError('mine as well', {}, 1);
  bus.on(Ping, throwing(abort));
  bus.on(Ping, throwing(timeout));
  const event = await bus.dispatch(new Ping());
  expect([...event.event_results.values()].map(({ error }) => error)).toEqual([abort, timeout]);
  expect((await bus.dispatch(new Ping())).event_status).toBe('completed');
});

test('error - nobody who awaits is no unhandled rejection', async () => {
  const unhandled: unknown[] = [];
  const onUnhandled = (error: unknown): void => void unhandled.push(error);
  process.on('unhandledRejection', onUnhandled);
  try {
    await using bus = new EventBus();
    bus.on(Ping, () => Promise.reject(new Error('nobody')));
    bus.on(Ping, async (_event, { signal }) => {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
      throw new Error('late');
    });
    bus.dispatch(new Ping({}, { event_timeout: 0.01 }));
    await bus.waitUntilIdle();
    await ticks(20);
    expect(unhandled).toEqual([]);
  } finally {
    process.off('unhandledRejection', onUnhandled);
  }
});

test('error - in callbacks of the user (observers, loggers) the bus goes on', async () => {
  const broken = throwing(new Error('broken'));
  await using bus = new EventBus({ logger: { debug: broken, info: broken, warn: broken, error: broken } });
  bus.observe({
    dispatched: broken,
    started: broken,
    handlerStarted: broken,
    handlerEnded: broken,
    completed: broken,
  });
  bus.on(Ping, () => 'fine');
  bus.on(Ping, throwing(new Error('x')));
  expect(await bus.dispatch(new Ping()).eventResult({ raiseIfAny: false })).toBe('fine');
});

test('error - an observer’s is logged, and the other observers are told', async () => {
  const logger = logRecorder();
  await using bus = new EventBus({ logger });
  const told: string[] = [];
  bus.observe({ completed: throwing(new Error('in the observer')) });
  const off = bus.observe({ completed: ({ event_type }) => void told.push(event_type) });
  await bus.dispatch(new Ping());
  off();
  await bus.dispatch(new Ping());
  expect(told).toEqual(['Ping']);
  expect(logger.errors[0]).toContain('An observer threw: Error: in the observer');
});

test('error - every class has a name, a code of its own and a brand that survives another copy of the package', () => {
  const classes = Object.entries(core).filter(
    ([name, value]) => name.endsWith('Error') && typeof value === 'function' && !name.startsWith('is'),
  );
  const codes = new Set<string>();
  for (const [name, value] of classes) {
    if (name === 'BusError') continue;
    const error = new (value as new (...args: unknown[]) => core.BusError)('text', { busName: 'B' }, {});
    expect(error.name).toBe(name);
    expect(error.code).toMatch(/^ERR_[A-Z_]+$/);
    expect(codes.has(error.code)).toBe(false);
    codes.add(error.code);
    expect(error.busName).toBe('B');
    expect(Object.keys(error)).not.toContain('eventType');
    const guard = (core as unknown as Record<string, (error: unknown) => boolean>)[`is${name}`];
    const twin = Object.assign(Object.create({ [Symbol.for('threadbus.error')]: true }) as object, {
      code: error.code,
    });
    for (const positive of [error, twin]) expect([isBusError(positive), guard?.(positive)]).toEqual([true, true]);
    for (const negative of [new Error('text'), null, undefined, 'text', { code: error.code }]) {
      expect([isBusError(negative), guard?.(negative)]).toEqual([false, false]);
    }
  }
  expect(codes.size).toBeGreaterThanOrEqual(15);
  expect(isTimeoutError(new core.HandlerTimeoutError('x', {}, 1))).toBe(false);
});
