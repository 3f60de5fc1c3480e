import type { BaseEvent, EventResult } from '@threadbus/core';
import { addChild, type HandlerRun } from '@threadbus/core/internal';
import type { Outgoing } from './outgoing.ts';
import { captureContext } from '../wire/portable.ts';
import { Destination, type Target } from './remote-part.ts';

/** Lets a function at the other end do the work of a handler run of this side: its value, error and children become the run's. */
export async function callRemote(
  outgoing: Outgoing,
  target: Target,
  event: BaseEvent,
  run: HandlerRun,
): Promise<unknown> {
  const { id: resultId, handler_id: handlerId } = run.runner;
  const part = outgoing.add(event, new Destination(target, null, { resultId, handlerId }), captureContext());
  run.whenAborted((reason) => part.cancel(reason));
  const { result } = await new Promise<{ result: EventResult | undefined }>((resolve) => {
    // Wrapped: a result is thenable itself.
    part.onCalled = (settled) => resolve({ result: settled });
  });
  if (result === undefined) return undefined;
  for (const child of result.children) addChild(run.runner, child);
  if (result.status === 'error') throw result.error;
  return result.result;
}
