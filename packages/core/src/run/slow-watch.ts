import { elapsedSince } from '../basics/elapsed.ts';
import { type EventResult, startedAtOf } from '../event/event-result.ts';
import { startTimer, type Timer } from '../basics/timer.ts';

/** In seconds; as in bubus. */
const slowAfter = 15;

/**
 * Warns once of each handler that is in progress for longer than 15 s: with one timer for the whole bus, which runs
 * only while something is in progress, and holds neither the bus nor the process.
 */
export class SlowWatch {
  readonly #inProgress: () => Iterable<EventResult>;
  readonly #warn: (result: EventResult, seconds: number) => void;
  #warned: WeakSet<EventResult> | null = null;
  #timer: Timer | null = null;

  /** @param inProgress handlers that have started and not settled */
  constructor(inProgress: () => Iterable<EventResult>, warn: (result: EventResult, seconds: number) => void) {
    this.#inProgress = inProgress;
    this.#warn = warn;
  }

  /** Something has started. */
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
    for (const result of this.#inProgress()) {
      if (this.#warned?.has(result) === true) continue;
      const age = elapsedSince(startedAtOf(result)) / 1000;
      if (age < slowAfter) {
        next = Math.min(next ?? slowAfter, slowAfter - age);
        continue;
      }
      (this.#warned ??= new WeakSet()).add(result);
      this.#warn(result, age);
    }
    if (next !== null) this.#start(Math.max(next, 0.1));
  }
}
