/**
 * Typed events, buses, results, history and the log of completed events.
 *
 * @module @threadbus/core
 */
import { z } from 'zod';
import { bringZod } from './event/zod.ts';

bringZod({ ZodObject: z.ZodObject, unknown: z.unknown, safeParse: z.safeParse });

export { BaseEvent } from './event/base-event.ts';
export type { AnyEvent, EventClass, EventConstructor } from './event/base-event.ts';
export type { EventBusOptions, StopOptions, WalMode } from './bus/bus-options.ts';
export { Dispatch } from './event/dispatch.ts';
export type { Dispatchable, DispatchOptions, RunningBus, Transferable } from './event/dispatch.ts';
export * from './basics/errors.ts';
export type { StuckFrame } from './basics/stuck-frame.ts';
export * from './basics/first-result-error.ts';
export type { BusStats } from './bus/bus-meter.ts';
export { EventBus } from './bus/event-bus.ts';
export type { EventsOptions } from './bus/event-stream.ts';
export type { FilterOptions } from './bus/filter.ts';
export type { Middleware } from './handlers/middleware.ts';
export type { ExpectOptions } from './bus/expectation.ts';
export type { WaitOptions } from './bus/idle-watch.ts';
export type { EventDelivery } from './event/event-delivery.ts';
export type { SnapshotOptions } from './event/event-snapshot.ts';
export type { EventFields } from './event/event-fields.ts';
export { EventResult } from './event/event-result.ts';
export type { ResultStatus } from './event/event-result.ts';
export type { EventOutcome } from './event/event-outcome.ts';
export type { EventOptions } from './event/event-schema.ts';
export type { FindOptions } from './bus/find.ts';
export type {
  Forward,
  Handler,
  HandlerContext,
  HandlerReturn,
  NamedHint,
  OnOptions,
  ResultInputOf,
} from './handlers/handler.ts';
export type { EventStatus } from './event/lifecycle.ts';
export { instrument } from './event/instrument.ts';
export type { Instrumentation } from './event/instrument.ts';
export type { Hint, TakeClass, TakeEvent } from './basics/hint.ts';
export type { LogFields, Logger } from './basics/logger.ts';
export type { BusObserver } from './event/observer.ts';
export type { EventOf, EventPattern } from './event/pattern.ts';
export { compactWal } from './log/compact-wal.ts';
export { readWal } from './log/read-wal.ts';
export type { ReadWalOptions, WalProblem } from './log/read-wal.ts';
export type { CompletionOptions } from './event/completion.ts';
export type { FlatDictOptions, ResultOf, ResultOptions } from './event/result-helpers.ts';
export type { Subscription } from './basics/subscription.ts';
