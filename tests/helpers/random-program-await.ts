import type { AwaitForm } from './random-program.ts';
import type { Sent } from './random-program-journal.ts';

const lenient = { raiseIfAny: false, raiseIfNone: false } as const;

/** @returns whether it waited until the event was complete */
export async function awaitIn(form: AwaitForm, { event, dispatch }: Sent): Promise<boolean> {
  if (form === 'one-result') {
    const [result] = event.event_results.values();
    await (result ?? event.eventCompleted());
    return result === undefined;
  }
  if (form === 'dispatch') await (dispatch ?? event.eventCompleted());
  if (form === 'completed') await event.eventCompleted();
  if (form === 'result') await event.eventResult(lenient);
  if (form === 'results') await event.eventResultsList();
  if (form === 'brief') await event.eventResult({ ...lenient, timeout: 0.001 });
  return true;
}

/** What a result helper throws because of the results. */
export function isResultError({ event }: Sent, error: unknown): boolean {
  if ((error as Error).name === 'NoResultError') return true;
  for (const result of event.event_results.values()) if (result.error === error) return true;
  return false;
}
