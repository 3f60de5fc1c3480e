import type { BusEngine } from './bus-engine.ts';
import { liveHandler, noLimits, waitFor } from './context.ts';
import { pathOf, type BaseEvent } from './base-event.ts';
import { BusCapacityError } from './errors.ts';
import type { Lifecycle, Runner } from './lifecycle.ts';

/**
 * Waits for a free place on the bus.
 *
 * A handler can't wait for places that only its own return would free. So inside a handler this awaits what the
 * handler's own tree has incomplete on the bus, oldest first; with nothing there to await, and on the handler's own
 * bus, it fails.
 */
export async function waitForCapacity(engine: BusEngine, signal: AbortSignal | undefined): Promise<void> {
  const handler = liveHandler();
  if (handler === null) {
    await engine.capacity.wait(signal);
    return;
  }
  while (engine.capacity.full) {
    const next = oldestIncomplete(handler.runner, engine.id);
    if (next !== null) {
      await waitFor(next, { ...noLimits, signal });
    } else if (handler.bus === engine.bus) {
      throw ownBusError(engine);
    } else {
      await engine.capacity.wait(signal);
      return;
    }
  }
}

function oldestIncomplete(runner: Runner, busId: string): Lifecycle | null {
  for (const child of runner.children) {
    if (child.settled) continue;
    if (pathOf(child.event as BaseEvent).some(({ id }) => id === busId)) return child;
    for (const below of child.results) {
      const found = oldestIncomplete(below, busId);
      if (found !== null) return found;
    }
  }
  return null;
}

function ownBusError({ capacity, name }: BusEngine): BusCapacityError {
  return new BusCapacityError(
    `${name} is full with events that can't run before this handler returns, so waiting for capacity here would never end. Return first, dispatch and await events one by one, or raise maxPending.`,
    { busName: name },
    { pending: capacity.pending, limit: capacity.limit ?? 0 },
  );
}
