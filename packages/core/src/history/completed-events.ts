import type { BaseEvent } from '../event/base-event.ts';

const none: readonly BaseEvent[] = [];
/** There is no room in them, so nobody writes to them: see `#grow`. */
const noEvents: (BaseEvent | null)[] = [];
const noNumbers: number[] = [];

/** An event and the number of its arrival at a bus. */
export interface Arrived {
  readonly event: BaseEvent;
  readonly arrival: number;
}

/**
 * Completed events in order of completion, which is how they leave; read in order of arrival, which differs a little.
 *
 * Rings instead of linked entries: three words an event, nothing for the collector to follow but the event, and nothing
 * to allocate once they are as large as the history. A place is a number that only grows; it stands at `place & mask`.
 */
export class CompletedEvents {
  #events: (BaseEvent | null)[] = noEvents;
  #arrivals: number[] = noNumbers;
  /** The greatest arrival up to each place. */
  #greatest: number[] = noNumbers;
  /** As many as there is room for, a power of two, less one. */
  #mask = -1;
  #head = 0;
  #tail = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  push(event: BaseEvent, arrival: number): void {
    if (this.#tail - this.#head > this.#mask) this.#grow();
    const greatest = this.#tail === 0 ? 0 : (this.#greatest[(this.#tail - 1) & this.#mask] ?? 0);
    const at = this.#tail & this.#mask;
    this.#events[at] = event;
    this.#arrivals[at] = arrival;
    this.#greatest[at] = Math.max(greatest, arrival);
    this.#tail += 1;
    this.#size += 1;
  }

  /** The one that completed longest ago. */
  shift(): BaseEvent | null {
    while (this.#head < this.#tail) {
      const at = this.#head & this.#mask;
      const event = this.#events[at] ?? null;
      this.#events[at] = null;
      this.#head += 1;
      if (event === null) continue;
      this.#size -= 1;
      return event;
    }
    return null;
  }

  /** Out of turn: looks for it, which is no matter for every day. */
  delete(event: BaseEvent): boolean {
    const at = this.#events.indexOf(event);
    if (at === -1) return false;
    this.#events[at] = null;
    this.#size -= 1;
    return true;
  }

  clear(): void {
    this.#events = noEvents;
    this.#arrivals = noNumbers;
    this.#greatest = noNumbers;
    this.#mask = -1;
    this.#head = 0;
    this.#tail = 0;
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
    for (let place = this.#tail - 1; place >= this.#head; place -= 1) {
      const at = place & this.#mask;
      const event = this.#events[at] ?? null;
      if (event === null) continue;
      const arrival = this.#arrivals[at] ?? 0;
      const before = place > this.#head ? (this.#greatest[(place - 1) & this.#mask] ?? 0) : 0;
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

  /** All from that arrival on; looks only as far back as there are any. */
  from(arrival: number): Arrived[] {
    const found: Arrived[] = [];
    for (let place = this.#tail - 1; place >= this.#head; place -= 1) {
      const at = place & this.#mask;
      if ((this.#greatest[at] ?? 0) < arrival) break;
      const event = this.#events[at] ?? null;
      const own = this.#arrivals[at] ?? 0;
      if (event !== null && own >= arrival) found.push({ event, arrival: own });
    }
    return found;
  }

  /** Twice the room: little to begin with, as many a bus is made for one event. */
  #grow(): void {
    const room = Math.max(2, 2 * (this.#mask + 1));
    this.#events = this.#grown(this.#events, null, room);
    this.#arrivals = this.#grown(this.#arrivals, 0, room);
    this.#greatest = this.#grown(this.#greatest, 0, room);
    this.#mask = room - 1;
  }

  /** All of a ring in a larger one, each where its place says. */
  #grown<T>(ring: readonly T[], nothing: T, room: number): T[] {
    const grown: T[] = [];
    while (grown.length < room) grown.push(nothing);
    for (let place = this.#head; place < this.#tail; place += 1)
      grown[place & (room - 1)] = ring[place & this.#mask] ?? nothing;
    return grown;
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
