import type { EventResult } from '@threadbus/core';
import { addChild, type HandlerRun, knownIdOf, ranInOf, setRanIn } from '@threadbus/core/internal';
import type { Outgoing } from './outgoing.ts';
import { captureContext } from '../wire/portable.ts';
import { Destination, type RemotePart, type Target } from './remote-part.ts';
import type { WireCall } from '../wire/protocol.ts';

/** A class, for what stands in Outbox: while the bus's history fills, all of them live. */
class FunctionCall implements WireCall {
  readonly resultId: string | null;
  readonly handlerId: string;
  declare readonly maxRecursionDepth?: number | null;

  constructor(resultId: string | null, handlerId: string, maxRecursionDepth: number | null | undefined) {
    this.resultId = resultId;
    this.handlerId = handlerId;
    // One that isn't told must not be there, as undefined either.
    if (maxRecursionDepth !== undefined) this.maxRecursionDepth = maxRecursionDepth;
  }
}

/**
 * Sends a handler run's event to a function at the other end, which does the work of the run.
 *
 * @param context values of portable contexts where the handler was called
 * @param done gets the function's result; undefined if there is none, because the other end has refused the call
 * @param maxRecursionDepth of the bus that the function works for, where the other end is to count it too
 */
export function sendCall(
  outgoing: Outgoing,
  target: Target,
  run: HandlerRun,
  context: Record<string, unknown> | null,
  done: (result: EventResult | undefined) => void,
  maxRecursionDepth?: number | null,
): RemotePart {
  // An id is made only if somebody asks for it: one that is known makes the answer a longer one.
  const resultId = knownIdOf(run.runner);
  const { handler_id: handlerId } = run.runner;
  const call = new FunctionCall(resultId, handlerId, maxRecursionDepth);
  return outgoing.add(run.event, new Destination(target, null, call), context, done);
}

/** What the function at the other end has dispatched becomes the run's. */
export function adoptChildren(run: HandlerRun, result: EventResult): void {
  for (const child of result.children) addChild(run.runner, child);
}

/** Lets a function at the other end do the work of a handler run of this side: its value, error and children become the run's. */
export async function callRemote(
  outgoing: Outgoing,
  target: Target,
  run: HandlerRun,
  maxRecursionDepth: number | null,
): Promise<unknown> {
  const context = captureContext(run.event);
  const { result } = await new Promise<{ result: EventResult | undefined }>((resolve) => {
    // Wrapped: a result is thenable itself.
    const settled = (each: EventResult | undefined): void => resolve({ result: each });
    const part = sendCall(outgoing, target, run, context, settled, maxRecursionDepth);
    run.whenAborted((reason) => part.cancel(reason));
  });
  if (result === undefined) return undefined;
  adoptChildren(run, result);
  setRanIn(run.runner, ranInOf(result));
  if (result.status === 'error') throw result.error;
  return result.result;
}
