import type { BaseEvent, EventBus } from '@threadbus/core';
import { checkOptions } from '@threadbus/core/internal';
import type { HandlerPool, WorkerBus } from '@threadbus/worker';

/** Options of `traceThreadbus`. */
export interface TraceOptions {
  /** `'process'`: no span for dispatches, only for handlers. @default 'all' */
  readonly spans?: 'all' | 'process' | undefined;
  /** Events that get no spans; what their handlers do belongs to the span around them. @default none */
  readonly ignore?: ((event: BaseEvent) => boolean) | undefined;
  /**
   * Events that begin a trace of their own, with a link to where they came from: such as ticks, each of whose handlers
   * dispatches the next. `detached` dispatches do so anyway. @default none
   */
  readonly newTrace?: ((event: BaseEvent) => boolean) | undefined;
  /** Called before a thread or process ends, which waits up to a second for it: `() => provider.forceFlush()`. @default nothing */
  readonly flush?: (() => unknown) | undefined;
}

/** A semaphore, as far as it is measured: those of `@threadbus/semaphore` are. */
export interface MeasuredSemaphore {
  /** Who holds a slot, and who waits. */
  inspect(): Promise<{
    readonly name?: string | null | undefined;
    readonly limit: number;
    readonly holders: readonly unknown[];
    readonly waiters: readonly unknown[];
  }>;
}

/** Options of `measureThreadbus`. */
export interface MeasureOptions {
  /** Buses, here and in threads. @default all of this thread */
  readonly buses?: readonly (EventBus | WorkerBus)[] | undefined;
  /** Pools. @default all of this thread */
  readonly pools?: readonly HandlerPool[] | undefined;
  /** Semaphores, whose slots are looked at with each collection. @default none */
  readonly semaphores?: readonly MeasuredSemaphore[] | undefined;
}

/** @throws TypeError */
export function checkTraceOptions(options: TraceOptions): void {
  checkOptions('traceThreadbus', options, ['spans', 'ignore', 'newTrace', 'flush']);
  const { spans } = options;
  if (spans !== undefined && spans !== 'all' && spans !== 'process') {
    throw new TypeError(`Expected spans to be 'all' or 'process'; got ${String(spans)}.`);
  }
  for (const name of ['ignore', 'newTrace', 'flush'] as const) {
    const value: unknown = options[name];
    if (value === undefined || typeof value === 'function') continue;
    throw new TypeError(`Expected ${name} of traceThreadbus to be a function; got ${typeof value}.`);
  }
}

/** @throws TypeError */
export function checkMeasureOptions(options: MeasureOptions): void {
  checkOptions('measureThreadbus', options, ['buses', 'pools', 'semaphores']);
  for (const name of ['buses', 'pools', 'semaphores'] as const) {
    const value: unknown = options[name];
    if (value === undefined || Array.isArray(value)) continue;
    throw new TypeError(`Expected ${name} of measureThreadbus to be an array; got ${typeof value}.`);
  }
}
