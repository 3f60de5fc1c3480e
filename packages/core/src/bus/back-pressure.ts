import type { Capacity } from './capacity.ts';
import { type ActiveHandler, liveHandler, noLimits, waitFor } from '../event/context.ts';
import { BusCapacityError, isAwaitCycleError } from '../basics/errors.ts';
import type { Lifecycle, Runner } from '../event/lifecycle.ts';
import { dependentsOf } from '../event/needs.ts';

/** A bus with places, here or at the other end of a link. */
export interface Places {
  readonly name: string;
  readonly capacity: Capacity;
  /** As handlers that it runs know it. */
  readonly bus: object;
  /** Events that hold its places, the oldest first. */
  readonly placeHolders: Iterable<Lifecycle>;
  /** @throws why it takes nothing any more */
  checkOpen(): void;
}

/**
 * Waits for a free place on the bus.
 *
 * A handler can't wait for places that only its own return would free. So inside a handler this is an await of what
 * holds the places: the oldest event of the handler's own tree there; if there is none, on another bus, the oldest
 * event that can complete before the handler's own. With nothing to await it fails.
 */
export async function waitForCapacity(places: Places, signal: AbortSignal | undefined): Promise<void> {
  places.checkOpen();
  const handler = liveHandler();
  if (handler === null) {
    await places.capacity.wait(signal);
    return;
  }
  const { capacity } = places;
  /** Those of which another thread has said that they need the handler's event. */
  const unfit = new Set<Lifecycle>();
  capacity.handlerWaits();
  try {
    while (!capacity.keep()) {
      await oneFreed(places, handler, unfit, signal);
      signal?.throwIfAborted();
      places.checkOpen();
    }
  } finally {
    capacity.handlerLeaves();
  }
}

/** Awaits what holds a place, until some place is free. */
async function oneFreed(
  places: Places,
  handler: ActiveHandler,
  unfit: Set<Lifecycle>,
  signal: AbortSignal | undefined,
): Promise<void> {
  const holder = placeHolder(places, handler, unfit);
  if (holder === null) throw noneFreedError(places);
  const end = new AbortController();
  const stopListening = places.capacity.whenFreed(() => end.abort());
  try {
    await waitFor(holder, null, {
      ...noLimits,
      signal: signal === undefined ? end.signal : AbortSignal.any([end.signal, signal]),
    });
  } catch (error) {
    if (isAwaitCycleError(error)) unfit.add(holder);
    else if (!end.signal.aborted && signal?.aborted !== true) throw error;
  } finally {
    stopListening();
  }
}

function placeHolder(places: Places, { runner, bus }: ActiveHandler, unfit: ReadonlySet<Lifecycle>): Lifecycle | null {
  const needing = dependentsOf(runner.lifecycle);
  let other: Lifecycle | null = null;
  for (const lifecycle of places.placeHolders) {
    if (needing.has(lifecycle) || unfit.has(lifecycle)) continue;
    if (isBelow(lifecycle, runner)) return lifecycle;
    if (bus !== places.bus) other ??= lifecycle;
  }
  return other;
}

function isBelow(lifecycle: Lifecycle, runner: Runner): boolean {
  for (let { parent } = lifecycle; parent !== null; { parent } = parent.lifecycle) if (parent === runner) return true;
  return false;
}

function noneFreedError({ capacity, name }: Places): BusCapacityError {
  return new BusCapacityError(
    `${name} is full with events that can't complete before this handler returns, so waiting for capacity here would never end. Return first, dispatch and await events one by one, or raise maxPending.`,
    { busName: name },
    { pending: capacity.pending, limit: capacity.limit ?? 0 },
  );
}
