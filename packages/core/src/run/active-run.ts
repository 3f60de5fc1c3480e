import { activeHandler } from '../event/context.ts';
import type { HandlerRun } from './handler-run.ts';

/** The run of the handler that is calling, for those who do its work elsewhere. @throws TypeError outside a handler */
export function activeRun(): HandlerRun {
  const handler = activeHandler.getStore();
  if (handler !== undefined) return handler as HandlerRun;
  throw new TypeError('This function is a handler, to be called by a bus: register it with bus.on(Type, handler).');
}
