import type { BaseEvent } from '../event/base-event.ts';
import { Dispatch } from '../event/dispatch.ts';
import type { HandlerContext } from './handler.ts';

/**
 * Wraps the handlers of a bus: what it returns is the handler's result, what it throws the handler's error.
 *
 * `next()` calls the handler, or the next middleware, once; it gives what that returned. If
 * the handler was ended in the meantime (its time was up, its event was cancelled), it isn't called any more: `next()`
 * rejects with the reason.
 */
export type Middleware = (
  event: BaseEvent & Readonly<Record<string, unknown>>,
  context: HandlerContext,
  next: () => Promise<unknown>,
) => unknown;

/** Calls a handler through all middleware, the first one outermost. */
export function callThrough(
  middlewares: readonly Middleware[],
  event: BaseEvent,
  context: HandlerContext,
  call: () => unknown,
): unknown {
  const from = (index: number): unknown => {
    const middleware = middlewares[index];
    if (middleware === undefined) return call();
    return middleware(
      event as Parameters<Middleware>[0],
      context,
      once(() => from(index + 1)),
    );
  };
  return from(0);
}

/** What is called within, as a promise that doesn't wait for an event that was only handed on. */
function once(call: () => unknown): () => Promise<unknown> {
  let called = false;
  // Not `async`: an outcome that is a Dispatch would be awaited.
  return () => {
    try {
      if (called)
        throw new TypeError('Expected a middleware to call next() at most once for each event; it did so twice.');
      called = true;
      const outcome = call();
      return Promise.resolve(outcome instanceof Dispatch ? outcome.event : outcome);
    } catch (error) {
      // oxlint-disable-next-line typescript/prefer-promise-reject-errors -- what the handler threw, as it is
      return Promise.reject(error);
    }
  };
}
