import { BaseEvent, HandlerTimeoutError, isUnserializableError } from '@threadbus/core';
import { isWorkerCrashedError } from '@threadbus/worker';
import { expect, test } from 'vitest';
import { Double, Havoc, Step } from '../../fixtures/worker/events.ts';
import { rejection } from '../../helpers/gate.ts';
import { hosted, hostId, isolation } from '../../helpers/isolation.ts';
import { startBus } from '../../helpers/worker-bus.ts';

/** Generous: a busy machine starts threads slowly. What is tested is that there is an end. */
const bound = 10_000;

test.each(['loop', 'regex', 'allocation loop', 'Atomics.wait', 'microtask loop'])(
  'crash - a handler that blocks its thread with a %s ends when its time is up, and the bus goes on',
  async (what) => {
    const bus = await startBus('havoc-bus');
    const before = hostId(bus);
    const behind = new Double({ n: 2 });
    const blocking = bus.dispatch(new Havoc({ what }, { event_timeout: 0.2 }));
    const waiting = bus.dispatch(behind).eventResult();
    const error = await rejection(blocking.eventResult());
    expect(error).toBeInstanceOf(HandlerTimeoutError);
    expect(error.message).toMatch(/^A handler of Havoc for Havoc#.{4} timed out after 0\.2s and blocked its thread/);
    expect(error).toMatchObject({ busName: 'Havoc', eventType: 'Havoc', timeout: 0.2 });
    expect(await waiting).toBe(4);
    expect(hostId(bus)).not.toBe(before);
  },
  bound,
);

test(
  'crash - events settle while a native call still holds the thread that is to end',
  async () => {
    const bus = await startBus('havoc-bus');
    const event = await bus.dispatch(new Havoc({ what: 'native call' }, { event_timeout: 0.2 }));
    const [result] = [...event.event_results.values()];
    expect(result?.error).toBeInstanceOf(HandlerTimeoutError);
    expect(await bus.dispatch(new Double({ n: 3 })).eventResult()).toBe(6);
  },
  bound,
);

test.each([
  ['process.exit', 'The thread of Havoc exited with code 3'],
  ['uncaught throw', 'The thread of Havoc crashed: RangeError: thrown late'],
  ['unhandled rejection', 'The thread of Havoc crashed: RangeError: unhandled'],
  [
    'out of memory',
    isolation() === 'thread'
      ? 'The thread of Havoc crashed: Error: Worker terminated due to reaching memory limit: JS heap out of memory'
      : 'The thread of Havoc was ended by SIGABRT (out of memory, or abort(): see its standard error)',
  ],
])(
  'crash - %s fails the event that had started with WorkerCrashedError, and the bus goes on',
  async (what, message) => {
    const bus = await startBus('havoc-bus', { resourceLimits: { maxOldGenerationSizeMb: 48 } });
    const ended = bus.dispatch(new Havoc({ what }));
    const behind = bus.dispatch(new Double({ n: 2 })).eventResult();
    const error = await rejection(ended.eventResult());
    expect(isWorkerCrashedError(error)).toBe(true);
    expect(error.message).toBe(hosted(message));
    const thrown = isolation() === 'thread' ? what !== 'process.exit' : /throw|rejection/.test(what);
    expect(error.cause instanceof Error).toBe(thrown);
    expect(await behind).toBe(4);
  },
);

test('crash - a throw after the handler has returned fails what runs by then, not the event of the handler', async () => {
  const bus = await startBus('havoc-bus');
  expect(await bus.dispatch(new Havoc({ what: 'late uncaught throw' })).eventResult()).toBe('fine');
  const innocent = bus.dispatch(new Step({ what: 'wait' }));
  const error = await rejection(innocent.eventResult());
  expect(isWorkerCrashedError(error)).toBe(true);
  expect(error.message).toContain('thrown late');
  expect(await bus.dispatch(new Double({ n: 2 })).eventResult()).toBe(4);
});

test('crash - a result that cannot be cloned is an error that names the field; its thread and neighbours go on', async () => {
  const bus = await startBus('havoc-bus');
  const host = hostId(bus);
  const before = bus.dispatch(new Double({ n: 1 })).eventResult();
  const failing = bus.dispatch(new Havoc({ what: 'unclonable out' })).eventResult();
  const after = bus.dispatch(new Double({ n: 2 })).eventResult();
  const error = await rejection(failing);
  expect(isUnserializableError(error)).toBe(true);
  expect(error.message).toContain('result.list[0].callback');
  expect([await before, await after]).toEqual([2, 4]);
  expect(hostId(bus)).toBe(host);
});

test('crash - a payload that cannot be cloned is an error that names the field; its neighbours arrive', async () => {
  const bus = await startBus('havoc-bus');
  const before = bus.dispatch(new Double({ n: 1 })).eventResult();
  const failing = bus
    .dispatch(new BaseEvent({ options: { done: () => undefined } }, { event_type: 'Odd' }))
    .eventResult();
  const after = bus.dispatch(new Double({ n: 2 })).eventResult();
  const error = await rejection(failing);
  expect(isUnserializableError(error)).toBe(true);
  expect(error.message).toContain('field "options.done" (function done) cannot cross a thread boundary');
  expect([await before, await after]).toEqual([2, 4]);
});
