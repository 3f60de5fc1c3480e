import { isHandlerAbortedError, isHandlerCancelledError } from '../basics/errors.ts';
import type { EventResult } from './event-result.ts';
import { hasLost } from './lost-result.ts';
import type { Lifecycle, Runner } from './lifecycle.ts';

/**
 * What became of a completed event: 'failed' if one of its handlers ended with an error of its own (its timeout
 * included), else 'cancelled' if one was ended or kept from starting by something else, else 'succeeded'.
 */
export type EventOutcome = 'failed' | 'cancelled' | 'succeeded';

/**
 * Results as a record has them, of an event that ended elsewhere or earlier. Their errors came as text, which tells less
 * than the objects: so the outcome comes with them.
 */
class RecordedResults extends Array<Runner> {
  outcome: EventOutcome = 'succeeded';
}

/** What a record says of a completed event, until it is dispatched again and gets further results. */
export function recordedResults(results: readonly Runner[], outcome: EventOutcome): readonly Runner[] {
  const recorded = new RecordedResults();
  recorded.outcome = outcome;
  for (const result of results) recorded.push(result);
  return recorded;
}

/** Looked up when somebody asks: most events end without anybody asking. @returns null until the event is completed */
export function outcomeOf(lifecycle: Lifecycle): EventOutcome | null {
  if (!lifecycle.settled) return null;
  const { results } = lifecycle;
  return results instanceof RecordedResults ? results.outcome : outcomeOfResults(lifecycle);
}

/** What it will be if nothing more comes. */
export function outcomeOfResults(lifecycle: Lifecycle): EventOutcome {
  const { event_id } = lifecycle.event as { event_id: string };
  let outcome: EventOutcome = 'succeeded';
  for (const { status, error } of lifecycle.results as readonly EventResult[]) {
    if (status !== 'error' || hasLost(error)) continue;
    if (!wasCancelled(error, event_id)) return 'failed';
    outcome = 'cancelled';
  }
  return outcome;
}

/** A handler that fails with the cancellation of another event, which it awaited, has failed by itself. */
function wasCancelled(error: unknown, eventId: string): boolean {
  return (isHandlerAbortedError(error) || isHandlerCancelledError(error)) && error.eventId === eventId;
}
