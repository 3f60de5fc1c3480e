import type { BaseEvent } from '@threadbus/core';

/**
 * A handler whose function runs in a pool thread: for events E, with results R, which are checked where it runs.
 *
 * Only a bus can call it, and gets a promise of R. It is written as R itself, so that what the compiler says of a wrong
 * one is one line about R.
 */
export type PoolHandler<R, E extends BaseEvent = BaseEvent> = (event: E) => R;

type AnyFunction = (...args: never[]) => unknown;

/** A module with a handler, as `typeof import('./resize.js')` says it. */
interface HandlerModule<F extends AnyFunction = AnyFunction> {
  readonly default: F;
}

/** The same, compiled to CommonJS. */
interface CompiledModule<F extends AnyFunction> {
  readonly default: HandlerModule<F>;
}

/** What `pool.handler<T>(url)` gives: T is the module's type, or just that of the handler's results. */
export type PoolHandlerOf<T> = [T] extends [never]
  ? PoolHandler<never>
  : T extends HandlerModule<infer F>
    ? PoolHandler<ResultOf<F>, EventOf<F>>
    : T extends CompiledModule<infer F>
      ? PoolHandler<ResultOf<F>, EventOf<F>>
      : PoolHandler<T>;

type ResultOf<F extends AnyFunction> = ReturnType<F> extends Promise<infer R> ? R : ReturnType<F>;

type EventOf<F extends AnyFunction> =
  Parameters<F> extends readonly [infer E extends BaseEvent, ...unknown[]] ? E : BaseEvent;
