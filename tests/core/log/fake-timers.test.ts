import { join } from 'node:path';
import { BaseEvent, EventBus, HandlerTimeoutError } from '@threadbus/core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { runProgram } from '../../helpers/run-program.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

const Ping = BaseEvent.extend('Ping', {});

const frameworks = [
  ['vitest', { fake: () => vi.useFakeTimers(), restore: () => vi.useRealTimers() }],
  [
    'vitest, all of them',
    { fake: () => vi.useFakeTimers({ toFake: [...everything] }), restore: () => vi.useRealTimers() },
  ],
] as const;

const everything = [
  'setTimeout',
  'setInterval',
  'setImmediate',
  'clearTimeout',
  'clearInterval',
  'clearImmediate',
  'Date',
  'performance',
  'queueMicrotask',
] as const;

describe.each(frameworks)('fake-timers - of %s', (_, { fake, restore }) => {
  beforeEach(() => void fake());
  afterEach(() => void restore());

  test.each([{}, { walSync: true }, { walMode: 'ahead' }] as const)(
    'a bus with a log does all that it does: %j',
    async (mode) => {
      const bus = new EventBus({ walPath: join(tempFolder(), 'log.jsonl'), ...mode });
      bus.on(Ping, () => 'pong');
      expect(await bus.dispatch(new Ping()).eventResult()).toBe('pong');
      expect(await bus.waitUntilIdle({ timeout: 5 })).toBe(true);
      await bus.stop({ timeout: 5 });
    },
  );

  test('limits and waits pass in real time, as those of Node itself do', async () => {
    await using bus = new EventBus({ logger: silent, maxPending: 1 });
    bus.on(Ping, () => new Promise(() => undefined));
    const dispatch = bus.dispatch(new Ping({}, { event_timeout: 0.02 }));
    expect(await bus.waitUntilIdle({ timeout: 0.001 })).toBe(false);
    await bus.waitForCapacity();
    const [result] = (await dispatch).event_results.values();
    expect(result?.error).toBeInstanceOf(HandlerTimeoutError);
    await expect(bus.expect('Never', { timeout: 0.01 })).rejects.toThrow('Never');
    expect(await bus.find('Never', { past: false, future: 0.01 })).toBeNull();
  });

  test('a handler has the timers that the test has put there', async () => {
    await using bus = new EventBus();
    bus.on(Ping, () => setTimeout === globalThis.setTimeout && 'clock' in setTimeout);
    expect(await bus.dispatch(new Ping()).eventResult()).toBe(true);
  });
});

const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };
function ignore(): void {}

test('fake-timers - of sinon, which replaces microtasks and ticks as well', async () => {
  const { stdout, code } = await runProgram('sinon-timers');
  expect(stdout).toBe('pong true\npong true\npong true\nfalse\ntrue null\n');
  expect(code).toBe(0);
});
