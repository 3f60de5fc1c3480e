import type { BaseEvent, EventBus } from '@threadbus/core';
import { lifecycleOf } from '@threadbus/core/internal';
import type { Arrival } from '@threadbus/link/internal';

/** So many are kept before those that are complete are looked for and forgotten. */
const firstSweep = 64;

/**
 * The events that came from the other end: tells it which have started, so that a lost link can say so, and drops
 * those that haven't when the link is lost.
 */
export class Arrivals {
  readonly #tell: (numbers: readonly number[]) => void;
  readonly #endObserving: () => void;
  #open = new Set<Arrival>();
  #sweepAt = firstSweep;
  #started: Arrival[] = [];

  /** @param tell says to the other end that these numbers have started */
  constructor(bus: EventBus, tell: (numbers: readonly number[]) => void) {
    this.#tell = tell;
    this.#endObserving = bus.observe({ started: (event) => this.#hasStarted(event) });
  }

  add(arrival: Arrival): void {
    if (this.#open.size >= this.#sweepAt) this.#sweep();
    this.#open.add(arrival);
  }

  /** What hasn't started never will. */
  drop(error: Error): void {
    for (const { brought, lifecycle } of this.#open) {
      if (brought && lifecycle.status === 'pending') lifecycle.cancel(error);
    }
  }

  close(): void {
    this.#endObserving();
    this.#open.clear();
    this.#started = [];
  }

  #hasStarted(event: BaseEvent): void {
    const arrival = lifecycleOf(event).extras.cameOver as Arrival | null;
    if (arrival === null || !this.#open.has(arrival)) return;
    this.#started.push(arrival);
    // Most are answered within this turn: nothing has to be said of those.
    if (this.#started.length === 1) setImmediate(() => this.#tellStarted());
  }

  #tellStarted(): void {
    const running = this.#started.filter(({ lifecycle }) => !lifecycle.settled);
    this.#started = [];
    if (running.length > 0) this.#tell(running.map(({ number }) => number));
  }

  #sweep(): void {
    this.#open = new Set([...this.#open].filter(({ lifecycle }) => !lifecycle.settled));
    this.#sweepAt = Math.max(firstSweep, this.#open.size * 2);
  }
}
