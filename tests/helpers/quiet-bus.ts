import { EventBus, type EventBusOptions } from '@threadbus/core';
import { onTestFinished, type TestContext } from 'vitest';

/** A logger that says nothing. */
export const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {}

/**
 * A bus that logs nothing and is stopped when the test is over.
 *
 * @param test which one, where several run at the same time
 */
export function quietBus(
  options: EventBusOptions = {},
  test: Pick<TestContext, 'onTestFinished'> = { onTestFinished },
): EventBus {
  const bus = new EventBus({ logger: silent, ...options });
  test.onTestFinished(() => bus.stop({ clear: true }));
  return bus;
}
