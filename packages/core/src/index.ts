/**
 * Typed events, buses, results, history and the log of completed events.
 *
 * @module @threadbus/core
 */
export { BaseEvent } from './base-event.ts';
export type { AnyEvent, EventClass, EventConstructor } from './base-event.ts';
export type { EventBusOptions, StopOptions } from './bus-options.ts';
export { Dispatch } from './dispatch.ts';
export type { Dispatchable, DispatchOptions, RunningBus } from './dispatch.ts';
export * from './errors.ts';
export { EventBus } from './event-bus.ts';
export type { ExpectOptions } from './expectation.ts';
export type { WaitOptions } from './idle-watch.ts';
export type { EventFields } from './event-fields.ts';
export { EventResult } from './event-result.ts';
export type { ResultStatus } from './event-result.ts';
export type { EventOptions } from './event-schema.ts';
export type { FindOptions } from './find.ts';
export type { Forward, Handler, HandlerContext, HandlerReturn, OnOptions } from './handler.ts';
export type { EventStatus } from './lifecycle.ts';
export type { Logger } from './logger.ts';
export type { BusObserver } from './observer.ts';
export type { EventPattern } from './pattern.ts';
export { readWal } from './read-wal.ts';
export type { ReadWalOptions } from './read-wal.ts';
export type { FlatDictOptions, ResultOf, ResultOptions } from './result-helpers.ts';
export type { Subscription } from './subscription.ts';
