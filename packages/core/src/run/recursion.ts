import { RecursionLimitError } from '../basics/errors.ts';
import type { EventResult } from '../event/event-result.ts';
import type { HandlerRun } from './handler-run.ts';
import type { Lifecycle } from '../event/lifecycle.ts';

/** The error for a handler that is nested in itself too deep, through the events that it dispatches; else null. */
export function recursionError(run: HandlerRun, maxDepth: number | null): RecursionLimitError | null {
  const { lifecycle } = run.runner;
  // An event with few ancestors can't be nested deep: the usual case costs one comparison.
  if (maxDepth === null || lifecycle.depth <= maxDepth) return null;
  const nesting = countNesting(lifecycle, run.entry.source.handlerId, maxDepth);
  if (nesting <= maxDepth) return null;
  const { busName, handlerName, eventType } = run.place;
  return new RecursionLimitError(
    `Infinite loop detected: ${busName}.${handlerName} is nested in itself ${nesting} times through the events that it dispatches (maxRecursionDepth is ${maxDepth}). Stop dispatching ${eventType} at some depth, dispatch it with { detached: true }, or raise maxRecursionDepth.`,
    run.place,
  );
}

function countNesting(lifecycle: Lifecycle, handlerId: string, enough: number): number {
  let nesting = 0;
  let event: Lifecycle | null = lifecycle;
  while (event !== null && nesting <= enough) {
    const parent = event.parent as EventResult | null;
    if (parent?.handler_id === handlerId) nesting += 1;
    // Between an event and the one above it are handlers of other threads, which count there.
    event = parent === null ? unlessComplete(event.extras.above) : parent.lifecycle;
  }
  return nesting;
}

function unlessComplete(lifecycle: Lifecycle | null): Lifecycle | null {
  return lifecycle?.settled === true ? null : lifecycle;
}
