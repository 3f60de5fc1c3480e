/**
 * What sibling packages build upon. No promise of stability: not for applications.
 */
import type { HandlerPool } from './handler-pool.ts';
import { handlerPools, workerBuses } from './instances.ts';
import type { WorkerBus } from './worker-bus.ts';

export { loadInThreads } from './thread/guests.ts';
export { processEntry } from './entries.ts';

/** The pools of this thread that somebody has. */
export function liveHandlerPools(): HandlerPool[] {
  return handlerPools.all as HandlerPool[];
}

/** The buses in threads and processes that this thread has started and somebody has. */
export function liveWorkerBuses(): WorkerBus[] {
  return workerBuses.all as WorkerBus[];
}
