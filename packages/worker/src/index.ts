/**
 * Buses and handlers in worker threads.
 *
 * @module @threadbus/worker
 */
export * from './errors.ts';
export { exposeBus, parentBus } from './expose-bus.ts';
export { HandlerPool } from './handler-pool.ts';
export type { PoolHandlerOptions } from './handler-pool.ts';
export type { RestartLimit, WorkerBusOptions } from './options.ts';
export type { PoolHandler, PoolHandlerOf } from './pool/pool-handler.ts';
export type { HandlerPoolOptions } from './pool/pool-options.ts';
export type { PoolStats } from './pool/pool-stats.ts';
export type { WorkerBusStats } from './thread/bus-meter.ts';
export { onThreadEnd } from './thread/end-hooks.ts';
export { observeThreads } from './thread/thread-observers.ts';
export type { ThreadEnd, ThreadObserver, ThreadStart } from './thread/thread-observers.ts';
export type { WhereIs } from './thread/stuck-at.ts';
export type { TimeSummary } from './thread/time-histogram.ts';
export { WorkerBus } from './worker-bus.ts';
export { WorkerBusGroup } from './worker-bus-group.ts';
export type { Route, WorkerBusGroupOptions, WorkerBusGroupStats } from './worker-bus-group.ts';
export {
  isLinkError,
  isLinkLostError,
  linkBuses,
  LinkError,
  LinkLostError,
  registerErrorClass,
  registerPortableContext,
  transfer,
} from '@threadbus/link';
export type { BusReference, LinkedBus, Linking, LinkOptions, PortableContext } from '@threadbus/link';
