import { BaseEvent, EventBus } from '@threadbus/core';
import { expect, test } from 'vitest';
import { logRecorder } from '../../helpers/log-recorder.ts';
import { thrown } from '../../helpers/thrown.ts';

test('bus-names - without one it is EventBus_ and 8 hex digits; the id is a UUIDv7', async () => {
  await using a = new EventBus();
  await using b = new EventBus();
  expect(a.name).toMatch(/^EventBus_[0-9a-f]{8}$/);
  expect(a.name).not.toBe(b.name);
  expect(a.id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-/);
});

test.each(['a b', '1a', '-b', '', '.b', '*', 'a/b'])('bus-names - %j is no name', (name) => {
  expect(thrown(() => new EventBus({ name })).message).toBe(
    `Expected the name of a bus to be at most 128 letters, digits and _ $ . : - that don't start with a digit, '.', '-' or ':', such as 'Main' or 'auth-bus'; got the string ${JSON.stringify(name)}.`,
  );
});

test.each(['_ok', '$ok', 'Ünïcode', 'a1_B'])('bus-names - %j is a name', async (name) => {
  await using bus = new EventBus({ name });
  expect(bus.name).toBe(name);
});

test('bus-names - a second live bus of the name gets a suffix and a warning, the first keeps its name', async () => {
  const logger = logRecorder();
  await using first = new EventBus({ name: 'Taken' });
  await using second = new EventBus({ name: 'Taken', logger });
  expect(first.name).toBe('Taken');
  expect(second.name).toMatch(/^Taken_[0-9a-f]{8}$/);
  expect(logger.warnings).toEqual([
    `EventBus with name "Taken" already exists in this thread; this one is called "${second.name}". Stop the other one first, or choose another name.`,
  ]);
});

test('bus-names - a name is free again after stop()', async () => {
  for (let round = 0; round < 3; round += 1) {
    const bus = new EventBus({ name: 'Again' });
    expect(bus.name).toBe('Again');
    await bus.dispatch(new BaseEvent());
    await bus.stop({ clear: round === 1 });
  }
});

test('bus-names - allInstances has every live bus and no stopped one', async () => {
  const before = EventBus.allInstances.size;
  const buses = Array.from({ length: 5 }, () => new EventBus());
  expect(EventBus.allInstances.size).toBe(before + 5);
  for (const bus of buses) expect(EventBus.allInstances.has(bus)).toBe(true);
  for (const bus of buses) await bus.stop();
  expect(EventBus.allInstances.size).toBe(before);
});

test('bus-names - 500 buses come, work, and go', async () => {
  const before = EventBus.allInstances.size;
  const buses = Array.from({ length: 500 }, () => new EventBus());
  let handled = 0;
  for (const bus of buses) bus.on('*', () => void (handled += 1));
  for (const bus of buses) for (let i = 0; i < 100; i += 1) bus.dispatch(new BaseEvent());
  await Promise.all(buses.map((bus) => bus.waitUntilIdle()));
  expect(handled).toBe(50_000);
  await Promise.all(buses.map((bus) => bus.stop({ clear: true })));
  expect(EventBus.allInstances.size).toBe(before);
});

test('bus-names - a bus shows itself as text', async () => {
  const bus = new EventBus({ name: 'Shown' });
  expect(String(bus)).toBe('Shown🟢(⏳ 0 | ▶️ 0 | ✅ 0 ➡️ 0 👂)');
  bus.on('*', () => 1);
  await bus.dispatch(new BaseEvent());
  bus.dispatch(new BaseEvent());
  expect(String(bus)).toBe('Shown🟢(⏳ 1 | ▶️ 0 | ✅ 1 ➡️ 1 👂)');
  await bus.stop();
  expect(String(bus)).toBe('Shown🔴(⏳ 0 | ▶️ 0 | ✅ 2 ➡️ 1 👂)');
});

test('bus-names - options that a bus doesn’t have are refused', () => {
  expect(thrown(() => new EventBus({ max_history_size: 5 } as object)).message).toBe(
    "A bus has no option 'max_history_size'. It has: name, walPath, walMode, walSync, parallelHandlers, concurrency, maxHistorySize, maxPending, maxRecursionDepth, eventTimeout, logger. Did you mean 'maxHistorySize'?",
  );
  expect(thrown(() => new EventBus('Main' as never)).message).toContain(
    'Expected the options of a bus to be an object, such as { name: \'Main\' }; got the string "Main".',
  );
  expect(thrown(() => new EventBus({ parallelHandlers: 1 as never })).message).toBe(
    'Expected parallelHandlers to be true or false; got 1 (number).',
  );
});
