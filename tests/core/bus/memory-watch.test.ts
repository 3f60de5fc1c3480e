import { BaseEvent, EventBus } from '@threadbus/core';
import { beforeEach, expect, test, vi } from 'vitest';
import { logRecorder } from '../../helpers/log-recorder.ts';

// Faked before the bus is loaded, for the whole file: once it is, its timers are Node's own whatever a test does.
vi.hoisted(() => void vi.useFakeTimers());

const Big = BaseEvent.extend('Big', {});

// The watch is one for the thread: it looks at nothing much first, whatever the test before has left.
beforeEach(async () => {
  await using bus = new EventBus();
  await bus.dispatch(new Big());
  await vi.advanceTimersByTimeAsync(6_000);
});

/** An event of so many megabytes. */
function big(megabytes: number): BaseEvent {
  return new Big({ bytes: new Uint8Array(megabytes * 1024 * 1024) } as never);
}

test('memory-watch - warns when the buses together hold more than 50 MB, and names the biggest', async () => {
  const logger = logRecorder();
  await using small = new EventBus({ name: 'SmallOne', logger });
  await using large = new EventBus({ name: 'LargeOne', logger });
  await small.dispatch(big(20));
  await large.dispatch(big(20));
  await vi.advanceTimersByTimeAsync(6_000);
  expect(logger.warnings).toEqual([]);
  await large.dispatch(big(20));
  await vi.advanceTimersByTimeAsync(6_000);
  expect(logger.warnings).toEqual([
    'All buses of this thread together hold about 60 MB of events, more than 50 MB; the biggest: LargeOne 40 MB (2 events), SmallOne 20 MB (1 events). Lower maxHistorySize, keep big values out of events, or free a bus with stop({ clear: true }).',
  ]);
});

test('memory-watch - warns once, and again after it was less in between', async () => {
  const logger = logRecorder();
  await using bus = new EventBus({ logger, maxHistorySize: 1 });
  const look = async (event: BaseEvent): Promise<number> => {
    await bus.dispatch(event);
    await vi.advanceTimersByTimeAsync(6_000);
    return logger.warnings.length;
  };
  expect(await look(big(60))).toBe(1);
  expect(await look(big(60))).toBe(1);
  expect(await look(big(1))).toBe(1);
  expect(await look(big(60))).toBe(2);
});

test('memory-watch - results count, and what a stopped bus held does not', async () => {
  const logger = logRecorder();
  const bus = new EventBus({ logger });
  bus.on('*', () => 'x'.repeat(60 * 1024 * 1024));
  await bus.dispatch(new Big());
  await vi.advanceTimersByTimeAsync(6_000);
  expect(logger.warnings).toHaveLength(1);
  await bus.stop();
  await using next = new EventBus({ logger });
  await next.dispatch(new Big());
  await vi.advanceTimersByTimeAsync(6_000);
  expect(logger.warnings).toHaveLength(1);
});

test('memory-watch - many small events are estimated from a sample, unequal ones too', async () => {
  const logger = logRecorder();
  await using bus = new EventBus({ logger, maxHistorySize: null });
  for (let i = 0; i < 3_000; i += 1) {
    bus.dispatch(new Big({ text: 'x'.repeat(i % 3 === 0 ? 60_000 : 6_000), list: [i, { i }] } as never));
  }
  await bus.waitUntilIdle();
  await vi.advanceTimersByTimeAsync(6_000);
  const megabytes = Number(/about (\d+) MB/.exec(logger.warnings[0] ?? '')?.[1]);
  expect(megabytes).toBeGreaterThan(50);
  expect(megabytes).toBeLessThan(100);
});

test('memory-watch - looks only after a dispatch and leaves no timer behind', async () => {
  await using bus = new EventBus();
  await bus.dispatch(new Big());
  await vi.advanceTimersByTimeAsync(20_000);
  expect(vi.getTimerCount()).toBe(0);
});

test('memory-watch - looks at values without reading them: a getter is the user code that it is', async () => {
  const logger = logRecorder();
  await using bus = new EventBus({ name: 'Getters', logger });
  let read = 0;
  bus.on(Big, () => ({
    bytes: new Uint8Array(60 * 1024 * 1024),
    get bad(): number {
      read += 1;
      throw new RangeError('no such thing');
    },
  }));
  await bus.dispatch(new Big());
  await vi.advanceTimersByTimeAsync(6_000);
  expect(read).toBe(0);
  expect(logger.warnings).toHaveLength(1);
});

test('memory-watch - a proxy that can not be looked at ends nothing', async () => {
  const logger = logRecorder();
  await using bus = new EventBus({ name: 'Proxies', logger });
  const { proxy, revoke } = Proxy.revocable({}, {});
  bus.on(Big, () => ({
    proxy,
    trap: new Proxy(
      {},
      {
        ownKeys() {
          throw new RangeError('no keys');
        },
      },
    ),
    bytes: new Uint8Array(60 * 1024 * 1024),
  }));
  await bus.dispatch(new Big());
  revoke();
  await vi.advanceTimersByTimeAsync(6_000);
  expect(logger.warnings).toHaveLength(1);
});
