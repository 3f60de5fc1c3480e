import type { BaseEvent, HandlerContext, Hint } from '@threadbus/core';

/**
 * A handler whose function runs in a pool thread: for events E, with results R, which are checked where it runs.
 *
 * Only a bus can call it, and gets a promise of R. It is written as R itself, so that what the compiler says of a wrong
 * one is one line about R.
 */
export type PoolHandler<R, E = BaseEvent> = (event: E) => R;

/**
 * What `pool.handler<T>(url)` gives: T is the module's type, or just that of the handler's results. Of those, and of
 * modules, that are `any` nothing is checked.
 */
export type PoolHandlerOf<T> =
  IsAny<T> extends true
    ? PoolHandler<never>
    : [T] extends [never]
      ? PoolHandler<never>
      : T extends { readonly default: infer D }
        ? HandlerOf<D>
        : T extends (...args: never[]) => unknown
          ? Hint<"the type of the handler's module, as in handler<typeof import('./resize.js')>(url)">
          : PoolHandler<T>;

/** Of a module's default export, which is the module again if it was compiled to CommonJS. */
type HandlerOf<D> =
  IsAny<D> extends true
    ? PoolHandler<never>
    : D extends (event: never, context: HandlerContext) => unknown
      ? PoolHandler<ResultOf<ReturnType<D>>, EventOf<Parameters<D>>>
      : D extends { readonly default: infer Inner }
        ? HandlerOf<Inner>
        : Hint<'a module whose default export is a handler: (event, context) => result'>;

type ResultOf<R> = IsAny<R> extends true ? never : R extends Promise<infer V> ? (IsAny<V> extends true ? never : V) : R;

type EventOf<P extends readonly unknown[]> = P extends readonly [] ? BaseEvent : P[0];

type IsAny<T> = 0 extends 1 & T ? true : false;
