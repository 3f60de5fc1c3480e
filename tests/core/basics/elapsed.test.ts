import { BaseEvent } from '@threadbus/core';
import { afterEach, expect, test } from 'vitest';
import { elapsedSince } from '../../../packages/core/dist/basics/elapsed.js';
import { fromEpoch, now } from '../../../packages/core/dist/basics/clock.js';
import { quietBus } from '../../helpers/quiet-bus.ts';

const real = Date.now;
const hour = 3_600_000;

function setClock(by: number): void {
  const before = Date.now;
  Date.now = () => before() + by;
}

afterEach(() => {
  Date.now = real;
  // It is a step, too.
  elapsedSince(fromEpoch(Date.now() - 10_000));
});

/** The difference in seconds, with room for a slow machine. */
function seconds(elapsed: number): number {
  return Math.round(elapsed / 1000 / 20) * 20;
}

test('elapsed - without anybody who sets the clock it is the difference', () => {
  expect(elapsedSince(now())).toBeLessThan(1000);
  expect(seconds(elapsedSince(fromEpoch(Date.now() - 100_000)))).toBe(100);
});

for (const by of [hour, -hour, 20_000, -20_000]) {
  test(`elapsed - the clock is set by ${by / 1000} s`, () => {
    const long = fromEpoch(Date.now() - 200_000);
    const brief = now();
    setClock(by);
    // What is later than the step is not mistaken for what was before.
    const after = now();
    expect(seconds(elapsedSince(brief))).toBe(0);
    expect(seconds(elapsedSince(after))).toBe(0);
    // Set back, a time that comes twice is taken for the later one.
    expect(seconds(elapsedSince(long))).toBe(by === -20_000 ? 180 : 200);
    expect(seconds(elapsedSince(now()))).toBe(0);
  });
}

test('elapsed - the clock is set several times, there and back', () => {
  const start = now();
  for (const by of [hour, 2 * hour, -3 * hour, hour]) {
    setClock(by);
    expect(seconds(elapsedSince(now()))).toBe(0);
  }
  expect(seconds(elapsedSince(start))).toBe(0);
});

test('find - events of the last seconds are found, and no others, when the clock was set', async () => {
  const bus = quietBus();
  const old = new BaseEvent({}, { event_type: 'Old', event_created_at: new Date(Date.now() - 60_000).toISOString() });
  await bus.dispatch(old);
  const recent = await bus.dispatch(new BaseEvent({}, { event_type: 'Recent' }));
  setClock(hour);
  expect(await bus.find('Recent', { past: 30 })).toBe(recent);
  expect(await bus.find('Old', { past: 30 })).toBeNull();
  expect(await bus.find('Old', { past: 300 })).toBe(old);
});

for (const by of [hour, -hour]) {
  test(`timeout - a handler during whose call the clock is set by ${by / 1000} s has its time all the same`, async () => {
    const bus = quietBus();
    bus.on('Set', async () => {
      setClock(by);
      await new Promise((resolve) => setImmediate(resolve));
      return 'done';
    });
    expect(await bus.dispatch(new BaseEvent({}, { event_type: 'Set', event_timeout: 30 })).eventResult()).toBe('done');
  });
}
