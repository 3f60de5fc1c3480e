import { activeHandler } from '../event/context.ts';
import { describe } from '../basics/describe.ts';
import type { HandlerRun } from './handler-run.ts';

/**
 * The run of the handler that is calling, for those who do its work elsewhere.
 *
 * @param event with which it was called
 * @throws TypeError outside a handler of that event
 */
export function activeRun(event: unknown): HandlerRun {
  const run = activeHandler.getStore() as HandlerRun | undefined;
  if (run !== undefined && run.event === event) return run;
  throw new TypeError(
    `This function is a handler, to be called by a bus: register it with bus.on(Type, handler). It was called with ${describe(event)}.`,
  );
}
