import type { BaseEvent } from '../event/base-event.ts';
import type { BusEngine } from './bus-engine.ts';
import { type ActiveHandler, liveHandler, waitFor } from '../event/context.ts';
import type { Lifecycle } from '../event/lifecycle.ts';
import { dependentsOf } from '../event/needs.ts';
import { AwaitCycleError, isAwaitCycleError } from '../basics/errors.ts';
import { monotonic } from '../basics/node-clock.ts';

/**
 * Waits until nothing is incomplete on the bus and `flush` has written its log: inside a handler of another bus as an
 * await of all that is incomplete.
 *
 * @returns false if the time was up first
 */
export async function waitUntilIdle(
  engine: BusEngine,
  timeout: number | null,
  signal: AbortSignal | undefined,
  flush: () => Promise<void>,
): Promise<boolean> {
  const deadline = timeout === null ? null : monotonic() + timeout * 1000;
  const left = (): number | null => (deadline === null ? null : Math.max(0, (deadline - monotonic()) / 1000));
  let handler = liveHandler();
  if (handler?.bus === engine.bus) throw neverIdle(engine, handler);
  while (engine.history.openSize > 0) {
    if (handler !== null && isNeeded(engine, handler.runner.lifecycle)) throw neverIdle(engine, handler);
    const idle =
      handler === null ? engine.idle.wait(left(), signal) : drain(engine, handler.runner.lifecycle, left(), signal);
    if (!(await idle)) return false;
    handler = liveHandler();
    if (engine.stopped) break;
    await flush();
  }
  await flush();
  return true;
}

/** Some event there can't complete before `own`. */
function isNeeded({ history }: BusEngine, own: Lifecycle): boolean {
  const needing = dependentsOf(own);
  return history.open().some(({ lifecycle }) => needing.has(lifecycle));
}

/**
 * Waits, as an await of the handler that calls, for all events there that can complete before the handler's own.
 *
 * @returns false if the time was up first
 */
export async function drain(
  { history }: BusEngine,
  own: Lifecycle,
  timeout: number | null,
  signal?: AbortSignal,
): Promise<boolean> {
  const late = new Error('the time is up');
  const needing = dependentsOf(own);
  const others = history
    .open()
    .map(({ lifecycle }) => lifecycle)
    .filter((lifecycle) => !needing.has(lifecycle));
  // Each of them to its end: while one is pending, the handler counts as suspended.
  const ends = await Promise.allSettled(
    others.map((lifecycle) => waitFor(lifecycle, null, { timeout, signal, onTimeout: () => late })),
  );
  const failed = ends.find((end) => end.status === 'rejected' && end.reason !== late);
  if (failed?.status === 'rejected') throw failed.reason;
  return ends.every(({ status }) => status === 'fulfilled');
}

function neverIdle({ name }: BusEngine, { runner, bus }: ActiveHandler): AwaitCycleError {
  const { event_type } = runner.lifecycle.event as BaseEvent;
  return new AwaitCycleError(
    `A handler of ${event_type} on ${(bus as { name: string }).name} waits until ${name} is idle, which it can't be before the handler returns. Await the events that you need instead.`,
    { busName: name, eventType: event_type },
  );
}

/** For whoever waits for what can complete: of some events it turns out later, over other threads, that they can't. */
export function ignoreCycles(error: unknown): false {
  if (isAwaitCycleError(error)) return false;
  throw error;
}
