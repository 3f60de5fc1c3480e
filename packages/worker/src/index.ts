/**
 * Buses and handlers in worker threads.
 *
 * @module @threadbus/worker
 */
export type { BusReference } from './bus-reference.ts';
export * from './errors.ts';
export { registerErrorClass } from './error-codec.ts';
export { exposeBus, parentBus } from './expose-bus.ts';
export { HandlerPool } from './handler-pool.ts';
export type { HandlerPoolOptions, PoolHandler, PoolHandlerOptions } from './handler-pool.ts';
export { linkBuses } from './link-buses.ts';
export type { LinkedBus, Linking, LinkOptions } from './link-buses.ts';
export type { WorkerBusOptions } from './options.ts';
export { registerPortableContext } from './portable.ts';
export type { PortableContext } from './portable.ts';
export { WorkerBus } from './worker-bus.ts';
export { WorkerBusGroup } from './worker-bus-group.ts';
export type { Route, WorkerBusGroupOptions } from './worker-bus-group.ts';
