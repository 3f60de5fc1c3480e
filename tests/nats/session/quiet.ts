import { EventBus, type EventBusOptions } from '@threadbus/core';

const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {}

/** A bus that logs nothing, for many in one test: whoever makes it stops it. */
export function quietBusOf(name: string, options: EventBusOptions = {}): EventBus {
  return new EventBus({ name, logger: silent, ...options });
}
