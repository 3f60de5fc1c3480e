import { isHandlerTimeoutError } from '@threadbus/core/internal';
import { isWorkerCrashedError } from '../errors.ts';
import { monotonic } from '../thread/monotonic.ts';
import type { CallCounts, CallFailure } from './pool-call.ts';
import { RunTimes } from './run-times.ts';
import { TimeHistogram, type TimeSummary } from '../thread/time-histogram.ts';

/** What a pool is doing and has done; all of it is known without asking a thread. */
export interface PoolStats {
  /** Threads that are there or start. */
  readonly threads: number;
  /** Calls whose handlers are at work in a thread. */
  readonly running: number;
  /** Calls whose handlers await an event, and so need none of the `maxThreads` places. */
  readonly awaiting: number;
  /** Calls that wait for a thread. */
  readonly waiting: number;
  /** Calls that came to a result. */
  readonly completed: number;
  /** Calls that ended without one, whatever the reason. */
  readonly failed: number;
  /** Those of the failed whose time was up. */
  readonly timedOut: number;
  /** Those of the failed whose thread was lost. */
  readonly crashed: number;
  /** Seconds from the call of the handler until a thread took it; null before the first. */
  readonly waitTime: TimeSummary | null;
  /** Seconds from then on until the call ended; null before the first. */
  readonly runTime: TimeSummary | null;
  /** Share of the time since the pool was made in which its `maxThreads` places were taken: 0 to 1. */
  readonly utilization: number;
}

/** Counts what becomes of a pool's calls: the same cost for each, and for a look at the counts. */
export class PoolCounts implements CallCounts {
  completed = 0;
  failed = 0;
  timedOut = 0;
  crashed = 0;
  readonly waitTime: TimeHistogram = new TimeHistogram();
  readonly runTime: TimeHistogram = new TimeHistogram();
  /** By module. */
  readonly lately: RunTimes = new RunTimes();
  readonly #places: number;
  readonly #since = monotonic();
  #taken = 0;
  /** Place-seconds up to `#changedAt`. */
  #area = 0;
  #changedAt = this.#since;

  constructor(places: number) {
    this.#places = places;
  }

  ended(failure: CallFailure | null, waited: number | null, ran: number | null): void {
    if (failure === null) this.completed += 1;
    else {
      this.failed += 1;
      if (isHandlerTimeoutError(failure.error)) this.timedOut += 1;
      else if (isWorkerCrashedError(failure.error)) this.crashed += 1;
    }
    if (waited !== null) this.waitTime.add(waited);
    if (ran !== null) this.runTime.add(ran);
  }

  took(entry: string, seconds: number): void {
    this.lately.add(entry, seconds);
  }

  /** So many places are taken from now on. @param at in monotonic seconds */
  take(taken: number, at?: number): void {
    this.#advance(at);
    this.#taken = Math.min(taken, this.#places);
  }

  get utilization(): number {
    this.#advance();
    const whole = (this.#changedAt - this.#since) * this.#places;
    return whole === 0 ? 0 : Math.min(1, this.#area / whole);
  }

  #advance(at: number = monotonic()): void {
    this.#area += (at - this.#changedAt) * this.#taken;
    this.#changedAt = at;
  }
}
