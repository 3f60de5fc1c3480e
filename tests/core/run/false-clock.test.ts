import { BaseEvent } from '@threadbus/core';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { quietBus } from '../../helpers/quiet-bus.ts';

const Work = BaseEvent.extend('Work', {});

beforeEach(async () => {
  // The bus has looked at the real one before.
  const bus = quietBus();
  bus.on(Work, async () => pause(1));
  await bus.dispatch(new Work({}));
  vi.useFakeTimers({ toFake: ['Date'] });
});
afterEach(() => vi.useRealTimers());

test('false clock - handlers have all of their time, however long it has stood still', async () => {
  const bus = quietBus();
  bus.on(Work, async () => pause(20));
  await bus.dispatch(new Work({}));
  await pause(600);
  const event = await bus.dispatch(new Work({}, { event_timeout: 0.5 }));
  expect(event.event_outcome).toBe('succeeded');
});

test('false clock - timers have their turn while it stands still', async () => {
  const bus = quietBus();
  let over = false;
  let handled = 0;
  // Ends by itself where it would go on for ever.
  bus.on(Work, () => {
    handled += 1;
    if (!over && handled < 2_000_000) bus.dispatch(new Work({}, {}), { detached: true });
  });
  bus.dispatch(new Work({}));
  await pause(30);
  over = true;
  expect(handled).toBeLessThan(2_000_000);
  await bus.waitUntilIdle();
});
