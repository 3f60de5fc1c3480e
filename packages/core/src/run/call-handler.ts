import type { BaseEvent } from '../event/base-event.ts';
import type { EventResult } from '../event/event-result.ts';
import type { HandlerContext, HandlerEntry } from '../handlers/handler.ts';
import { callThrough, type Middleware } from '../handlers/middleware.ts';
import { handlerContext, noContext } from './handler-context.ts';
import { toBeAwaited } from './handler-outcome.ts';

/** A run, as far as its function's call is concerned. */
interface CalledRun extends HandlerContext {
  readonly event: BaseEvent;
  readonly entry: HandlerEntry;
  readonly runner: EventResult;
  readonly middlewares: readonly Middleware[];
}

/** Calls the run's function, through the bus's middleware. @returns a value, or a promise of this realm's */
export function callHandler(run: CalledRun): unknown {
  // Not called as a method of the entry: `this` is nobody's object.
  const { middlewares, entry } = run;
  const { handler, ignoresContext } = entry;
  const isPlain = middlewares.length === 0;
  const context = isPlain && ignoresContext ? noContext : handlerContext(run);
  const outcome = isPlain
    ? handler(run.event, context)
    : callThrough(middlewares, run.event, context, () => {
        // A middleware may have waited: what has ended meanwhile is never started.
        if (run.runner.settled) throw run.runner.error;
        return handler(run.event, context);
      });
  return toBeAwaited(outcome);
}
