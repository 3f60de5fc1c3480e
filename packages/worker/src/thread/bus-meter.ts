import type { EventResult } from '@threadbus/core';
import { monotonic } from '@threadbus/core/internal';
import type { PartMeter, RemotePart } from '@threadbus/link/internal';
import { TimeHistogram, type TimeSummary } from './time-histogram.ts';

/** What a worker bus is doing and has done for this side; all of it is known without asking its thread. */
export interface WorkerBusStats {
  /** Events that were sent there and have no results yet. */
  readonly inFlight: number;
  /** Events that wait on this side. */
  readonly waiting: number;
  /** Events that came back with no failed handler. */
  readonly completed: number;
  /** Events of which a handler failed over there, or that were lost with its thread. */
  readonly failed: number;
  /** How often its thread was replaced. */
  readonly restarts: number;
  /** Seconds from when an event was sent until its results were here; null before the first. */
  readonly roundTrip: TimeSummary | null;
}

/** Counts what becomes of the events that are sent to a bus in a thread. */
export class BusMeter implements PartMeter {
  completed = 0;
  failed = 0;
  restarts = 0;
  /** The present thread has been of use: something came back from it. */
  useful = false;
  readonly roundTrip: TimeHistogram = new TimeHistogram();

  unread(): void {
    this.useful = true;
  }

  sent(part: RemotePart): void {
    part.sentAt = monotonic();
  }

  settled(part: RemotePart, results: readonly EventResult[], answered: boolean): void {
    if (answered) {
      this.useful = true;
      if (part.sentAt > 0) this.roundTrip.add((monotonic() - part.sentAt) / 1000);
    }
    if (hasFailed(results)) this.failed += 1;
    else this.completed += 1;
  }

  stats({ size, waiting }: { readonly size: number; readonly waiting: number }): WorkerBusStats {
    const { completed, failed, restarts, roundTrip } = this;
    return { inFlight: size - waiting, waiting, completed, failed, restarts, roundTrip: roundTrip.summary };
  }
}

/** No `some`: the function that it needs would be made for each event. */
function hasFailed(results: readonly EventResult[]): boolean {
  for (const { status } of results) if (status === 'error') return true;
  return false;
}
