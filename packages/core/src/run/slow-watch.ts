import { elapsedSince } from '../basics/elapsed.ts';
import { type EventResult, startedAtOf } from '../event/event-result.ts';
import { startTimer, type Timer } from '../basics/timer.ts';

/** In seconds; as in bubus. */
const slowAfter = 15;

/** The bus that it watches. */
export interface WatchedBus {
  /** Of handlers that have started and not settled. */
  resultsInProgress(): Iterable<EventResult>;
  warnOfSlow(result: EventResult, seconds: number): void;
}

/**
 * Warns once of each handler that is in progress for longer than 15 s: with one timer for the whole bus, which runs
 * only while something is in progress, and holds neither the bus nor the process.
 */
export class SlowWatch {
  readonly #bus: WatchedBus;
  #warned: WeakSet<EventResult> | null = null;
  #timer: Timer | null = null;

  constructor(bus: WatchedBus) {
    this.#bus = bus;
  }

  /** Something is in progress. */
  arm(): void {
    if (this.#timer === null) this.#start(slowAfter);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #start(seconds: number): void {
    const self = new WeakRef(this);
    this.#timer = startTimer(seconds, () => self.deref()?.look(), false);
  }

  /** Warns of those that are due, and comes back when the next one is. */
  look(): void {
    this.#timer = null;
    let next: number | null = null;
    for (const result of this.#bus.resultsInProgress()) {
      if (this.#warned?.has(result) === true) continue;
      const age = elapsedSince(startedAtOf(result)) / 1000;
      if (age < slowAfter) {
        next = Math.min(next ?? slowAfter, slowAfter - age);
        continue;
      }
      (this.#warned ??= new WeakSet()).add(result);
      this.#bus.warnOfSlow(result, age);
    }
    if (next !== null) this.#start(Math.max(next, 0.1));
  }
}
