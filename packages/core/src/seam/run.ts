/**
 * A run of a handler to watch or to carry out: where it is suspended, when it goes on, when it has settled.
 *
 * Promises: a watcher hears started, suspended, resumed, settled and told of each run in this order, each in the turn in which
 * it happens; whoever waits inside a handler does so through `waitFor`, so that the rules of awaiting see it.
 */
export { type ActiveHandler, activeHandler, liveHandler, waitFor } from '../event/context.ts';
export { isLookedOn, lookOn, type Onlooker, tellDispatched } from '../event/onlookers.ts';
export { isDispatchWatched, watchDispatch } from '../event/instrument.ts';
export { abortedError, cancelledError } from '../run/ended-errors.ts';
export { activeRun } from '../run/active-run.ts';
export { recursionError } from '../run/recursion.ts';
export { later } from '../run/handler-outcome.ts';
export { HandlerRun, type RunHost, type RunWatch, watchRuns } from '../run/handler-run.ts';
export { monotonicAt, soon } from '../run/turns.ts';
