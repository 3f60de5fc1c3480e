import { inspect } from 'node:util';
import { HandlerPool, linkBuses } from '@threadbus/worker';
import { MessageChannel } from 'node:worker_threads';
import { BaseEvent } from '@threadbus/core';
import { expect, onTestFinished, test } from 'vitest';
import { z } from 'zod';
import { gate, nextTurn } from '../helpers/gate.ts';
import { quietBus } from '../helpers/quiet-bus.ts';
import { startBus } from '../helpers/worker-bus.ts';

// What `console.log` shows: one line that says how a thing is.

const Ask = BaseEvent.extend('Ask', { question: z.string() }, { result: z.string() });

test('shown - a bus: how many events are pending, started, completed, and its handlers', async () => {
  const bus = quietBus({ name: 'Shown' });
  const { opened, open } = gate();
  bus.on(Ask, async () => {
    await opened;
    return 'answer';
  });
  const first = bus.dispatch(new Ask({ question: 'a?' }));
  bus.dispatch(new Ask({ question: 'b?' }));
  await nextTurn();
  expect(inspect(bus)).toBe('Shown🟢(⏳ 1 | ▶️ 1 | ✅ 0 ➡️ 1 👂)');
  open();
  await first;
  await bus.waitUntilIdle();
  expect(inspect({ bus })).toBe('{ bus: Shown🟢(⏳ 0 | ▶️ 0 | ✅ 2 ➡️ 1 👂) }');
  await bus.stop();
  expect(String(bus)).toContain('Shown🔴');
});

test('shown - a bus in a thread, and a link: name, whether it takes events, what is in flight', async () => {
  const bus = await startBus('slow-bus');
  expect(inspect(bus)).toBe('WorkerBus SlowReader🟢(0 in flight)');
  const pending = bus.dispatch(new BaseEvent());
  expect(String(bus)).toBe('SlowReader🟢(1 in flight)');
  await pending;
  await bus.stop();
  expect(inspect(bus)).toBe('WorkerBus SlowReader🔴(0 in flight)');
  const { port1 } = new MessageChannel();
  using link = linkBuses(quietBus(), port1);
  expect(inspect(link)).toBe('Linking the other side🟢(0 in flight)');
});

test('shown - a pool: what runs, what waits, and how many may run', () => {
  const pool = new HandlerPool({ maxThreads: 3 });
  onTestFinished(() => pool.stop());
  expect(inspect(pool)).toBe('HandlerPool(0 running, 0 waiting, 3 at a time)');
});

test('shown - an event: where it was, its type, how far it is, and its payload', async () => {
  const [main, auth] = [quietBus({ name: 'Main' }), quietBus({ name: 'Auth' })];
  main.on(Ask, auth.dispatch);
  auth.on(Ask, function answer() {
    return 'yes';
  });
  const event = new Ask({ question: 'a?' });
  const id = `Ask#${event.event_id.slice(-4)}`;
  expect(inspect(event)).toBe(`▶ ${id} ⏳ { question: 'a?' }`);
  const dispatch = main.dispatch(event);
  expect(inspect(dispatch)).toBe(`Dispatch of Main▶ ${id} ⏳ { question: 'a?' }`);
  await dispatch;
  expect(inspect([event])).toBe(`[ Main≫Auth▶ ${id} ✅ { question: 'a?' } ]`);
  expect(inspect({ a: { b: { c: { event } } } })).toContain(`[Object]`);
  expect(inspect({ a: { b: { event } } })).toContain(`event: Main≫Auth▶ ${id} ✅ …`);
});

test('shown - a result: its bus, its handler, what came of it', async () => {
  const bus = quietBus({ name: 'Main' });
  bus.on(Ask, function answer() {
    return 'yes';
  });
  bus.on(Ask, function fail() {
    throw new RangeError('no');
  });
  const { event_results } = await bus.dispatch(new Ask({ question: 'a?' }));
  expect([...event_results.values()].map((result) => inspect(result))).toEqual([
    'Main.answer() -> yes (completed)',
    'Main.fail() -> RangeError (error)',
  ]);
});
