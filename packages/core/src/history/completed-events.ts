import type { BaseEvent } from '../event/base-event.ts';

const none: readonly BaseEvent[] = [];

/** An event and the number of its arrival at a bus. */
export interface Arrived {
  readonly event: BaseEvent;
  readonly arrival: number;
}

/**
 * Completed events in order of completion, which is how they leave; read in order of arrival, which differs a little.
 *
 * Arrays instead of linked entries: three words an event, and nothing for the collector to follow but the event.
 */
export class CompletedEvents {
  #events: (BaseEvent | null)[] = [];
  #arrivals: number[] = [];
  /** The greatest arrival up to each place. */
  #greatest: number[] = [];
  #head = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(event: BaseEvent, arrival: number): void {
    const greatest = this.#greatest.at(-1) ?? 0;
    this.#events.push(event);
    this.#arrivals.push(arrival);
    this.#greatest.push(Math.max(greatest, arrival));
    this.#size += 1;
  }

  /** The one that completed longest ago. */
  shift(): BaseEvent | null {
    while (this.#head < this.#events.length) {
      const event = this.#events[this.#head] ?? null;
      this.#events[this.#head] = null;
      this.#head += 1;
      if (event === null) continue;
      this.#size -= 1;
      this.#shrink();
      return event;
    }
    return null;
  }

  /** Out of turn: looks for it, which is no matter for every day. */
  delete(event: BaseEvent): boolean {
    const at = this.#events.indexOf(event, this.#head);
    if (at === -1) return false;
    this.#events[at] = null;
    this.#size -= 1;
    return true;
  }

  clear(): void {
    this.#events = [];
    this.#arrivals = [];
    this.#greatest = [];
    this.#head = 0;
    this.#size = 0;
  }

  /**
   * In reverse order of arrival, merged with others; looks only as far back as it is read.
   *
   * @param others the oldest first
   */
  *newestFirst(others: readonly Arrived[]): IterableIterator<BaseEvent> {
    /** Not given out yet, because there may be newer ones; the newest last. */
    const kept = [...others];
    let sorted = true;
    for (let at = this.#events.length - 1; at >= this.#head; at -= 1) {
      const event = this.#events[at] ?? null;
      if (event === null) continue;
      const arrival = this.#arrivals[at] ?? 0;
      const before = at > this.#head ? (this.#greatest[at - 1] ?? 0) : 0;
      if (arrival < before) {
        kept.push({ arrival, event });
        sorted = false;
        continue;
      }
      // Once for many: putting each in its place would cost as much as their number squared.
      if (!sorted) kept.sort(byArrival);
      sorted = true;
      if (kept.length > 0) yield* takeNewer(kept, arrival);
      yield event;
      if (kept.length > 0) yield* takeNewer(kept, before);
    }
    if (!sorted) kept.sort(byArrival);
    yield* takeNewer(kept, 0);
  }

  /** Drops the used half now and then, so that the cost of each event stays constant. */
  #shrink(): void {
    if (this.#head <= 32 || this.#head * 2 < this.#events.length) return;
    this.#events = this.#events.slice(this.#head);
    this.#arrivals = this.#arrivals.slice(this.#head);
    this.#greatest = this.#greatest.slice(this.#head);
    this.#head = 0;
  }
}

/** The oldest first. */
export function byArrival(a: Pick<Arrived, 'arrival'>, b: Pick<Arrived, 'arrival'>): number {
  return a.arrival - b.arrival;
}

/** Takes out what arrived after `arrival`, the newest first. */
function takeNewer(kept: Arrived[], arrival: number): readonly BaseEvent[] {
  if ((kept.at(-1)?.arrival ?? 0) <= arrival) return none;
  const newer: BaseEvent[] = [];
  for (let last = kept.at(-1); last !== undefined && last.arrival > arrival; last = kept.at(-1)) {
    newer.push(last.event);
    kept.pop();
  }
  return newer;
}
