import { BaseEvent, EventBus } from '@threadbus/core';
import { expect, test, vi } from 'vitest';
import { logRecorder } from '../../helpers/log-recorder.ts';
import { runProgram } from '../../helpers/run-program.ts';
import { thrown } from '../../helpers/thrown.ts';

test('logger - console fits as it is', async () => {
  const error = vi.spyOn(console, 'error').mockImplementation(() => undefined);
  try {
    await using bus = new EventBus({ name: 'OnConsole', logger: console });
    bus.on('*', () => Promise.reject(new Error('seen on the console')));
    await bus.dispatch(new BaseEvent());
    expect(error.mock.calls[0]?.[0]).toContain('failed: Error: seen on the console');
  } finally {
    error.mockRestore();
  }
});

test('logger - one whose methods need their object, as those of pino do, fits as it is', async () => {
  class PinoShaped {
    readonly #lines: string[] = [];
    readonly level = 'info';
    debug(text: string): void {
      this.#lines.push(`debug ${text}`);
    }
    info(text: string): void {
      this.#lines.push(`info ${text}`);
    }
    warn(text: string): void {
      this.#lines.push(`warn ${text}`);
    }
    error(text: string): void {
      this.#lines.push(`error ${text}`);
    }
    get lines(): readonly string[] {
      return this.#lines;
    }
  }
  const logger = new PinoShaped();
  await using bus = new EventBus({ name: 'OnPino', logger });
  bus.on('*', () => Promise.reject(new Error('x')));
  await bus.dispatch(new BaseEvent());
  expect(logger.lines).toHaveLength(1);
  expect(logger.lines[0]).toMatch(/^error OnPino\.anonymous\(BaseEvent#/);
});

test.each([
  [{}, 'missing: debug, info, warn, error.'],
  [{ debug: console.debug, info: 1, warn: console.warn, error: console.error }, 'missing: info.'],
  [null, 'missing: debug, info, warn, error.'],
])('logger - %o is none', (logger, text) => {
  expect(thrown(() => new EventBus({ logger: logger as never })).message).toBe(
    `Expected logger to have the methods debug, info, warn and error, as console and pino have; ${text}`,
  );
});

test('logger - handlers that were ended from outside are no errors', async () => {
  const logger = logRecorder();
  const bus = new EventBus({ logger });
  bus.on('*', () => new Promise(() => undefined));
  bus.dispatch(new BaseEvent());
  bus.dispatch(new BaseEvent());
  await new Promise((resolve) => setImmediate(resolve));
  await bus.stop();
  expect(logger.errors).toEqual([]);
  expect(logger.debugs).toHaveLength(2);
});

test('logger - debug shows every step of every event', async () => {
  vi.stubEnv('THREADBUS_LOG_LEVEL', 'debug');
  const logger = logRecorder();
  const bus = new EventBus({ name: 'Chatty', logger });
  vi.unstubAllEnvs();
  bus.on('*', function handle() {});
  const { event_id } = await bus.dispatch(new BaseEvent());
  await bus.stop();
  const event = `Chatty BaseEvent#${event_id.slice(-4)}`;
  const lines = logger.debugs.map((line) => line.replace(/ \(\d+\.\d{3} s\)$/, ' (time)'));
  expect(lines).toEqual([
    `${event} dispatched {}`,
    `${event} ▶ handle`,
    `${event} ◀ handle → null (time)`,
    `${event} completed (time)`,
    'Chatty stopped',
  ]);
});

test.each([
  ['silent', []],
  ['error', ['error']],
  ['warn', ['warn', 'error']],
  [undefined, ['warn', 'error']],
  ['nonsense', ['warn', 'error']],
  ['INFO', ['warn', 'error']],
] as const)('logger - without one, THREADBUS_LOG_LEVEL=%s decides what goes to stderr', async (level, levels) => {
  vi.stubEnv('THREADBUS_LOG_LEVEL', level);
  const { code, stdout, stderr } = await runProgram('log-something');
  vi.unstubAllEnvs();
  const shown = [...stderr.matchAll(/^\[threadbus\] (\w+): /gm)].map(([, name]) => name);
  expect([code, stdout]).toEqual([0, '']);
  expect(shown).toEqual(levels);
});
