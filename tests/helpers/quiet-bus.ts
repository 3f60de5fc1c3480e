import { EventBus, type EventBusOptions } from '@threadbus/core';
import { onTestFinished } from 'vitest';

const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {}

/** A bus that logs nothing and is stopped when the test is over. */
export function quietBus(options: EventBusOptions = {}): EventBus {
  const bus = new EventBus({ logger: silent, ...options });
  onTestFinished(() => bus.stop({ clear: true }));
  return bus;
}
