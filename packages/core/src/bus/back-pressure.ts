import type { BusEngine } from './bus-engine.ts';
import { type ActiveHandler, liveHandler, noLimits, waitFor } from '../event/context.ts';
import { BusCapacityError } from '../basics/errors.ts';
import type { Lifecycle, Runner } from '../event/lifecycle.ts';
import { dependentsOf } from '../event/needs.ts';

/**
 * Waits for a free place on the bus.
 *
 * A handler can't wait for places that only its own return would free. So inside a handler this is an await of what
 * holds the places: the oldest event of the handler's own tree there; if there is none, on another bus, the oldest
 * event that can complete before the handler's own. With nothing to await it fails.
 */
export async function waitForCapacity(engine: BusEngine, signal: AbortSignal | undefined): Promise<void> {
  const failure = engine.logFailure();
  if (failure !== null) throw failure;
  const handler = liveHandler();
  if (handler === null) {
    await engine.capacity.wait(signal);
    return;
  }
  const { capacity } = engine;
  capacity.handlerWaits();
  try {
    while (!capacity.keep()) {
      await oneFreed(engine, handler, signal);
      signal?.throwIfAborted();
      if (engine.stopped) throw engine.stoppedError();
    }
  } finally {
    capacity.handlerLeaves();
  }
}

/** Awaits what holds a place, until some place is free. */
async function oneFreed(engine: BusEngine, handler: ActiveHandler, signal: AbortSignal | undefined): Promise<void> {
  const holder = placeHolder(engine, handler);
  if (holder === null) throw noneFreedError(engine);
  const end = new AbortController();
  const stopListening = engine.capacity.whenFreed(() => end.abort());
  try {
    await waitFor(holder, null, {
      ...noLimits,
      signal: signal === undefined ? end.signal : AbortSignal.any([end.signal, signal]),
    });
  } catch (error) {
    if (!end.signal.aborted && signal?.aborted !== true) throw error;
  } finally {
    stopListening();
  }
}

function placeHolder(engine: BusEngine, { runner, bus }: ActiveHandler): Lifecycle | null {
  const needing = dependentsOf(runner.lifecycle);
  let other: Lifecycle | null = null;
  for (const { lifecycle } of engine.history.open()) {
    if (!lifecycle.atWork || needing.has(lifecycle)) continue;
    if (isBelow(lifecycle, runner)) return lifecycle;
    if (bus !== engine.bus) other ??= lifecycle;
  }
  return other;
}

function isBelow(lifecycle: Lifecycle, runner: Runner): boolean {
  for (let { parent } = lifecycle; parent !== null; { parent } = parent.lifecycle) if (parent === runner) return true;
  return false;
}

function noneFreedError({ capacity, name }: BusEngine): BusCapacityError {
  return new BusCapacityError(
    `${name} is full with events that can't complete before this handler returns, so waiting for capacity here would never end. Return first, dispatch and await events one by one, or raise maxPending.`,
    { busName: name },
    { pending: capacity.pending, limit: capacity.limit ?? 0 },
  );
}
