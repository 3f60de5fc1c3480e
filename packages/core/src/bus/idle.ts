import type { BaseEvent } from '../event/base-event.ts';
import type { BusEngine } from './bus-engine.ts';
import { type ActiveHandler, liveHandler } from '../event/context.ts';
import { AwaitCycleError } from '../basics/errors.ts';
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
    if (handler !== null && engine.needs(handler.runner.lifecycle)) throw neverIdle(engine, handler);
    const idle =
      handler === null ? engine.idle.wait(left(), signal) : engine.drain(handler.runner.lifecycle, left(), signal);
    if (!(await idle)) return false;
    handler = liveHandler();
    if (engine.stopped) break;
    await flush();
  }
  await flush();
  return true;
}

function neverIdle({ name }: BusEngine, { runner, bus }: ActiveHandler): AwaitCycleError {
  const { event_type } = runner.lifecycle.event as BaseEvent;
  return new AwaitCycleError(
    `A handler of ${event_type} on ${(bus as { name: string }).name} waits until ${name} is idle, which it can't be before the handler returns. Await the events that you need instead.`,
    { busName: name, eventType: event_type },
  );
}
