import { isHandlerAbortedError, isHandlerCancelledError } from '../basics/errors.ts';
import type { EventResult } from './event-result.ts';
import type { Lifecycle, Runner } from './lifecycle.ts';

/**
 * What became of a completed event: 'failed' if one of its handlers ended with an error of its own (its timeout
 * included), else 'cancelled' if one was ended or kept from starting by something else, else 'succeeded'.
 */
export type EventOutcome = 'failed' | 'cancelled' | 'succeeded';

interface Recorded {
  readonly outcome: EventOutcome;
  readonly results: readonly Runner[];
}

/** Outcomes of events that ended elsewhere or earlier: their errors came as text, which tells less than the objects. */
const recorded = new WeakMap<Lifecycle, Recorded>();

/** Keeps what a record says of a completed event, until it is dispatched again and gets further results. */
export function recordOutcome(lifecycle: Lifecycle, outcome: EventOutcome): void {
  recorded.set(lifecycle, { outcome, results: lifecycle.results });
}

/** Looked up when somebody asks: most events end without anybody asking. @returns null until the event is completed */
export function outcomeOf(lifecycle: Lifecycle): EventOutcome | null {
  if (!lifecycle.settled) return null;
  const record = recorded.get(lifecycle);
  return record?.results === lifecycle.results ? record.outcome : outcomeOfResults(lifecycle);
}

/** What it will be if nothing more comes. */
export function outcomeOfResults(lifecycle: Lifecycle): EventOutcome {
  const { event_id } = lifecycle.event as { event_id: string };
  let outcome: EventOutcome = 'succeeded';
  for (const { status, error } of lifecycle.results as readonly EventResult[]) {
    if (status !== 'error') continue;
    if (!wasCancelled(error, event_id)) return 'failed';
    outcome = 'cancelled';
  }
  return outcome;
}

/** A handler that fails with the cancellation of another event, which it awaited, has failed by itself. */
function wasCancelled(error: unknown, eventId: string): boolean {
  return (isHandlerAbortedError(error) || isHandlerCancelledError(error)) && error.eventId === eventId;
}
