import { BaseEvent, isHandlerTimeoutError } from '@threadbus/core';
import { performance } from 'node:perf_hooks';
import { expect, test } from 'vitest';
import { gate, nextTurn } from '../../helpers/gate.ts';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Work = BaseEvent.extend('Work', {});

/** Resolves to when, in milliseconds, an event's handler has timed out. */
async function timedOut(dispatch: PromiseLike<BaseEvent>): Promise<number> {
  const event = await dispatch;
  expect([...event.event_results.values()].every(({ error }) => isHandlerTimeoutError(error))).toBe(true);
  return performance.now();
}

test('time limits - handlers with one limit end in the order in which they began, each with its own time', async () => {
  const bus = quietBus({ parallelHandlers: true });
  const forever = gate();
  bus.on(Work, () => forever.opened);
  const first = performance.now();
  const one = timedOut(bus.dispatch(new Work({}, { event_timeout: 0.2 })));
  await new Promise((resolve) => void setTimeout(resolve, 100));
  const second = performance.now();
  const two = timedOut(bus.dispatch(new Work({}, { event_timeout: 0.2 })));
  const [ended, endedToo] = await Promise.all([one, two]);
  expect(ended - first).toBeGreaterThanOrEqual(199);
  expect(endedToo - second).toBeGreaterThanOrEqual(199);
  expect(endedToo).toBeGreaterThan(ended);
});

test('time limits - one whose call has used most of its time ends with what is left', async () => {
  const buses = [quietBus(), quietBus()];
  const forever = gate();
  const ended: string[] = [];
  buses[0]?.on(Work, () => forever.opened);
  buses[1]?.on(Work, async () => {
    const from = performance.now();
    while (performance.now() - from < 250);
    await forever.opened;
  });
  const events = buses.map(async (bus, i) => {
    await bus.dispatch(new Work({}, { event_timeout: 0.3 }));
    ended.push(['waits', 'blocks'][i] as string);
  });
  await Promise.all(events);
  expect(ended.sort()).toEqual(['blocks', 'waits']);
});

test('time limits - a handler that ends in time leaves nothing that keeps the process alive, nor ends the next', async () => {
  const bus = quietBus();
  const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  bus.on(Work, () => nextTurn());
  const before = timers();
  for (let i = 0; i < 40; i += 1) {
    const event = await bus.dispatch(new Work({}, { event_timeout: 100 + (i % 20) }));
    expect(event.event_outcome).toBe('succeeded');
  }
  expect(timers()).toBeLessThanOrEqual(before);
});

test('time limits - longer than a timer of Node can be', async () => {
  const bus = quietBus();
  bus.on(Work, () => nextTurn());
  const event = await bus.dispatch(new Work({}, { event_timeout: 10_000_000 }));
  expect(event.event_outcome).toBe('succeeded');
});
