import { BaseEvent, type EventBus, isHandlerTimeoutError, isUnserializableError } from '@threadbus/core';
import { HandlerPool, isWorkerCrashedError } from '@threadbus/worker';
import { expect, onTestFinished, test } from 'vitest';
import { Double, Havoc } from '../../fixtures/worker/events.ts';
import { fixtureUrl } from '../../helpers/fixture.ts';
import { rejection } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';
import { runProgram } from '../../helpers/run-program.ts';

/** Generous: what is tested is that there is an end. */
const bound = 15_000;

function poolBus(maxOldGenerationSizeMb = 256): EventBus {
  const pool = new HandlerPool({ maxThreads: 1, resourceLimits: { maxOldGenerationSizeMb } });
  const bus = quietBus();
  onTestFinished(() => pool.stop());
  bus.on(Havoc, pool.handler(fixtureUrl('worker/havoc-task')));
  bus.on(Double, pool.handler<number>(fixtureUrl('worker/double-task')));
  return bus;
}

test.each(['loop', 'regex', 'allocation loop', 'Atomics.wait', 'microtask loop', 'native call'])(
  'pool crash - a handler that blocks its thread with a %s ends when its time is up, and the pool goes on',
  async (what) => {
    const bus = poolBus();
    const blocking = bus.dispatch(new Havoc({ what }, { event_timeout: 0.3 }));
    const behind = bus.dispatch(new Double({ n: 2 })).eventResult();
    const error = await rejection(blocking.eventResult());
    expect(isHandlerTimeoutError(error)).toBe(true);
    expect(error.message).toMatch(/havoc-task\.js\(Havoc#.{4}\) timed out after 0\.3s/);
    expect(await behind).toBe(4);
  },
  bound,
);

test.each([
  ['process.exit', /^The pool thread of havoc-task\.js crashed: .*exit/],
  ['uncaught throw', /^The pool thread of havoc-task\.js crashed: thrown late$/],
  ['unhandled rejection', /^The pool thread of havoc-task\.js crashed: unhandled$/],
  ['out of memory', /^The pool thread of havoc-task\.js crashed: Worker terminated due to reaching memory limit/],
])('pool crash - %s fails its event with WorkerCrashedError, and the pool goes on', async (what, message) => {
  const bus = poolBus(48);
  const ended = bus.dispatch(new Havoc({ what }));
  const behind = bus.dispatch(new Double({ n: 2 })).eventResult();
  const error = await rejection(ended.eventResult());
  expect(isWorkerCrashedError(error)).toBe(true);
  expect(error.message).toMatch(message);
  expect(await behind).toBe(4);
});

test('pool crash - a throw after the handler has returned ends its thread, not the event of the handler', async () => {
  const bus = poolBus();
  expect(await bus.dispatch(new Havoc({ what: 'late uncaught throw' })).eventResult()).toBe('fine');
  const innocent = await rejection(bus.dispatch(new Havoc({ what: 'wait' })).eventResult());
  expect(isWorkerCrashedError(innocent)).toBe(true);
  expect(innocent.message).toContain('thrown late');
  expect(await bus.dispatch(new Double({ n: 2 })).eventResult()).toBe(4);
});

test('pool crash - what cannot be cloned, out or in, is an error that names the field', async () => {
  const bus = poolBus();
  const out = await rejection(bus.dispatch(new Havoc({ what: 'unclonable out' })).eventResult());
  expect(isUnserializableError(out)).toBe(true);
  expect(out.message).toContain('result.list[0].callback');
  const payload = { n: 1, options: { done: () => undefined } };
  const into = await rejection(bus.dispatch(new BaseEvent(payload, { event_type: 'Double' })).eventResult());
  expect(isUnserializableError(into)).toBe(true);
  expect(into.message).toContain('field "options.done" (function done) cannot cross a thread boundary');
  expect(await bus.dispatch(new Double({ n: 2 })).eventResult()).toBe(4);
});

test('pool crash - calls keep the process up until they have ended, whatever their threads do', async () => {
  // Which of the two was closed first, the port or the thread, is a matter of luck.
  const ends = await Promise.all([1, 2, 3].map(async () => runProgram('worker/crashing-pool-program')));
  const expected = { code: 0, stdout: `${'fffrffff'.repeat(3)}\n`, stderr: '' };
  for (const end of ends) expect(end).toEqual(expected);
}, 60_000);
