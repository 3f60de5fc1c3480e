import { delay } from '../basics/seconds.ts';
import type { SlotPool } from '../basics/slot-pool.ts';

/** So many starts in every window of so many seconds. */
export interface Rate {
  /** Most starts within `interval`, wherever the window begins. An integer, minimum: 1. */
  readonly limit: number;
  /** Length of the window in seconds. Must be above 0, and finite. */
  readonly interval: number;
}

/** A start that was granted; whoever has it has the gate. */
export interface Start {
  /** To be called right before the function: the window is counted from here. */
  begin(): void;
  /** To be called when the function was called: the next one may come. Twice is once. */
  done(): void;
}

/** When the last starts were. Used by one call at a time. */
export interface RateRecord {
  /**
   * Enters a start, if there may be one now.
   *
   * @returns 0 if it was entered, else in how many seconds there may be one
   */
  enter(): number;
  /** The start that was entered last is now, a little later than it was entered. */
  begin(): void;
  /** It keeps nothing that another object for the same rate would not know. */
  readonly isForgettable: boolean;
}

/**
 * Lets calls start one after the other, at most so many in each window.
 *
 * Whoever is first in line has the gate, alone knows the record, and waits for its moment with a timer; the others wait
 * for the gate. So starts come first come, first served over all threads and processes that share the gate, nothing
 * polls the record, and whoever leaves or dies takes no start with it.
 */
export class RateLimit {
  readonly rate: Rate;
  readonly #gate: SlotPool & { readonly isIdle: boolean };
  readonly #record: RateRecord;

  constructor(rate: Rate, gate: SlotPool & { readonly isIdle: boolean }, record: RateRecord) {
    this.rate = rate;
    this.#gate = gate;
    this.#record = record;
  }

  get isIdle(): boolean {
    return this.#gate.isIdle && this.#record.isForgettable;
  }

  /**
   * Waits until the caller may start; it has to do so at once. Rejects with the signal's reason.
   */
  async start(signal: AbortSignal | undefined): Promise<Start> {
    const lease = await this.#gate.acquire({ signal });
    try {
      for (;;) {
        signal?.throwIfAborted();
        const wait = this.#record.enter();
        if (wait <= 0) return { begin: () => this.#record.begin(), done: () => void lease.release() };
        await delay(wait, signal);
      }
    } catch (error) {
      void lease.release();
      throw error;
    }
  }
}

/** Another rate under one name. */
export function rateConflict(name: string, wanted: Rate, existing: Rate): string {
  const text = ({ limit, interval }: Rate): string => `${limit} per ${interval}s`;
  return (
    `Expected the rate limit "${name}" to be one rate everywhere, got ${text(wanted)} where it is in use with ` +
    `${text(existing)}: use the same limit and interval, or another name.`
  );
}
