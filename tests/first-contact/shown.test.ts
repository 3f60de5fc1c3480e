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
