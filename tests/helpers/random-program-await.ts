import type { AwaitForm } from './random-program.ts';
import type { Journal } from './random-program-journal.ts';
import type { Activity, Sent } from './random-program-records.ts';
import type { Tally } from './random-program-tally.ts';

const lenient = { raiseIfAny: false, raiseIfNone: false } as const;

/** Awaits an event, as the handler that is given or from outside, and checks what comes of it. */
export async function awaitSent(
  journal: Journal,
  tally: Tally,
  sent: Sent,
  form: AwaitForm,
  activity: Activity | null,
): Promise<void> {
  tally.awaits += 1;
  const inside = activity?.live === true;
  const since = journal.clock;
  const cyclic = inside && journal.needs(sent, activity.sent);
  const resume = inside ? journal.suspend(activity, sent) : outsideWait(sent);
  let failure: unknown = null;
  let complete = true;
  try {
    complete = await awaitIn(form, sent);
  } catch (error) {
    failure = error;
  }
  // An event may go on to another bus in the moment after its completion.
  if (failure === null && complete && !sent.completed && !sent.reopened)
    journal.violation(`${sent.toString()} is ${sent.event.event_status} after it was awaited (${form})`);
  if (failure !== null) {
    const { name } = failure as Error;
    if (name === 'AwaitCycleError') {
      tally.cycles += 1;
      // It may have been one for a moment, until a stop ended another handler of it.
      if (!inside || (!cyclic && !journal.needs(sent, activity.sent, since)))
        journal.violation(`${String(activity)} was refused to await ${sent.toString()}, but there is no cycle`);
    } else if (!(name === 'TimeoutError' && form === 'brief') && !isResultError(sent, failure)) {
      journal.violation(`awaiting ${sent.toString()} (${form}) failed: ${String((failure as Error).stack)}`);
    }
  }
  resume();
}

function outsideWait(sent: Sent): () => void {
  const token = {};
  sent.outsideWaits.add(token);
  return () => sent.outsideWaits.delete(token);
}

/** @returns whether it waited until the event was complete */
async function awaitIn(form: AwaitForm, { event, dispatch }: Sent): Promise<boolean> {
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
function isResultError({ event }: Sent, error: unknown): boolean {
  if ((error as Error).name === 'NoResultError') return true;
  for (const result of event.event_results.values()) if (result.error === error) return true;
  return false;
}
