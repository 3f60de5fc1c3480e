import type { BaseEvent } from './base-event.ts';
import { type Linked, LinkedList } from './linked-list.ts';
import { lifecycleOf } from './result-helpers.ts';
import type { EventStatus } from './lifecycle.ts';

/** An event's place among those of its status. */
class Entry implements Linked<Entry> {
  previous: Entry | null = null;
  next: Entry | null = null;
  readonly event: BaseEvent;
  /** Its place among all, in order of dispatch. */
  readonly place: Place;
  list: LinkedList<Entry>;

  constructor(event: BaseEvent, list: LinkedList<Entry>) {
    this.event = event;
    this.place = new Place(event);
    this.list = list;
  }
}

class Place implements Linked<Place> {
  previous: Place | null = null;
  next: Place | null = null;
  readonly event: BaseEvent;

  constructor(event: BaseEvent) {
    this.event = event;
  }
}

/**
 * The events that a bus remembers, by id and in order of dispatch: what `eventHistory`, `find` and `logTree` look at.
 *
 * It never holds more than its limit. What goes first: the event that completed longest ago, then the one that started
 * longest ago, then the oldest pending one. Processing doesn't depend on it: an evicted event goes on. With a limit of
 * 0 it holds just the events in flight.
 */
export class EventHistory implements ReadonlyMap<string, BaseEvent> {
  readonly #limit: number | null;
  readonly #entries = new Map<string, Entry>();
  readonly #order = new LinkedList<Place>();
  readonly #lists: Record<EventStatus, LinkedList<Entry>> = {
    completed: new LinkedList(),
    started: new LinkedList(),
    pending: new LinkedList(),
  };

  constructor(limit: number | null) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#entries.size;
  }

  add(event: BaseEvent): void {
    const twin = this.#entries.get(event.event_id);
    // Two objects may have one id, when an event was restored from JSON: the later one takes the place.
    if (twin !== undefined) this.#remove(twin);
    const list = this.#lists[event.event_status];
    const entry = new Entry(event, list);
    this.#entries.set(event.event_id, entry);
    this.#order.push(entry.place);
    list.push(entry);
    if (this.#limit !== null && this.#limit > 0 && this.#entries.size > this.#limit) this.#evict();
  }

  /** The event's status has changed. */
  move(event: BaseEvent): void {
    const entry = this.#entries.get(event.event_id);
    const { status } = lifecycleOf(event);
    if (entry === undefined || entry.event !== event || entry.list === this.#lists[status]) return;
    if (status === 'completed' && this.#limit === 0) {
      this.#remove(entry);
      return;
    }
    entry.list.remove(entry);
    entry.list = this.#lists[status];
    entry.list.push(entry);
  }

  get(id: string): BaseEvent | undefined {
    return this.#entries.get(id)?.event;
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  keys(): MapIterator<string> {
    return this.#entries.keys();
  }

  /** In order of dispatch. */
  *values(): MapIterator<BaseEvent> {
    for (const { event } of this.#entries.values()) yield event;
  }

  *entries(): MapIterator<[string, BaseEvent]> {
    for (const [id, { event }] of this.#entries) yield [id, event];
  }

  [Symbol.iterator](): MapIterator<[string, BaseEvent]> {
    return this.entries();
  }

  forEach(callback: (event: BaseEvent, id: string, history: ReadonlyMap<string, BaseEvent>) => void): void {
    for (const [id, event] of this.entries()) callback(event, id, this);
  }

  /** In the reverse order of dispatch. */
  *newestFirst(): IterableIterator<BaseEvent> {
    let place = this.#order.last;
    while (place !== null) {
      const { previous }: Place = place;
      yield place.event;
      place = previous;
    }
  }

  /** Every so many-th event, oldest first. */
  everyNth(step: number): BaseEvent[] {
    const events: BaseEvent[] = [];
    let i = 0;
    for (let place = this.#order.first; place !== null; place = place.next) {
      if (i % step === 0) events.push(place.event);
      i += 1;
    }
    return events;
  }

  clear(): void {
    for (const entry of [...this.#entries.values()]) this.#remove(entry);
  }

  #remove(entry: Entry): void {
    this.#entries.delete(entry.event.event_id);
    this.#order.remove(entry.place);
    entry.list.remove(entry);
  }

  #evict(): void {
    const { completed, started, pending } = this.#lists;
    const entry = completed.first ?? started.first ?? pending.first;
    if (entry !== null) this.#remove(entry);
  }
}
