import { type BaseEvent, idIsGiven } from './base-event.ts';
import type { EventStatus } from './lifecycle.ts';
import { type Linked, LinkedList } from './linked-list.ts';
import { lifecycleOf } from './result-helpers.ts';

/** An event's place in a history: among those of its status, and among all in order of dispatch. */
export class HistoryEntry implements Linked<HistoryEntry> {
  previous: HistoryEntry | null = null;
  next: HistoryEntry | null = null;
  older: HistoryEntry | null = null;
  newer: HistoryEntry | null = null;
  readonly event: BaseEvent;
  /** Null once it was evicted. */
  list: LinkedList<HistoryEntry> | null;

  constructor(event: BaseEvent, list: LinkedList<HistoryEntry>) {
    this.event = event;
    this.list = list;
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
  readonly #lists: Record<EventStatus, LinkedList<HistoryEntry>> = {
    completed: new LinkedList(),
    started: new LinkedList(),
    pending: new LinkedList(),
  };
  #oldest: HistoryEntry | null = null;
  #newest: HistoryEntry | null = null;
  #size = 0;
  /** By id; made when somebody first asks by id, because an event's id costs something only once it is read. */
  #index: Map<string, HistoryEntry> | null = null;

  constructor(limit: number | null) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns what to say when the event's status has changed */
  add(event: BaseEvent): HistoryEntry {
    // Two objects may have one id, when an event was restored from JSON: the later one takes the place.
    const index = idIsGiven(event) ? this.#byId() : this.#index;
    const twin = index?.get(event.event_id);
    if (twin !== undefined) this.#remove(twin);
    const list = this.#lists[lifecycleOf(event).status];
    const entry = new HistoryEntry(event, list);
    index?.set(event.event_id, entry);
    list.push(entry);
    entry.older = this.#newest;
    if (this.#newest === null) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
    this.#size += 1;
    if (this.#limit !== null && this.#limit > 0 && this.#size > this.#limit) this.#evict();
    return entry;
  }

  /** The event's status has changed. */
  move(entry: HistoryEntry): void {
    const { status } = lifecycleOf(entry.event);
    const list = this.#lists[status];
    if (entry.list === null || entry.list === list) return;
    if (status === 'completed' && this.#limit === 0) {
      this.#remove(entry);
      return;
    }
    entry.list.remove(entry);
    entry.list = list;
    list.push(entry);
  }

  get(id: string): BaseEvent | undefined {
    return this.#byId().get(id)?.event;
  }

  has(id: string): boolean {
    return this.#byId().has(id);
  }

  *keys(): MapIterator<string> {
    for (const event of this.values()) yield event.event_id;
  }

  /** In order of dispatch. */
  *values(): MapIterator<BaseEvent> {
    let entry = this.#oldest;
    while (entry !== null) {
      const { newer }: HistoryEntry = entry;
      yield entry.event;
      entry = newer;
    }
  }

  *entries(): MapIterator<[string, BaseEvent]> {
    for (const event of this.values()) yield [event.event_id, event];
  }

  [Symbol.iterator](): MapIterator<[string, BaseEvent]> {
    return this.entries();
  }

  forEach(callback: (event: BaseEvent, id: string, history: ReadonlyMap<string, BaseEvent>) => void): void {
    for (const [id, event] of this.entries()) callback(event, id, this);
  }

  /** In the reverse order of dispatch. */
  *newestFirst(): IterableIterator<BaseEvent> {
    let entry = this.#newest;
    while (entry !== null) {
      const { older }: HistoryEntry = entry;
      yield entry.event;
      entry = older;
    }
  }

  /** Every so many events, the oldest first. */
  everyNth(step: number): BaseEvent[] {
    return [...this.values()].filter((_event, i) => i % step === 0);
  }

  clear(): void {
    while (this.#oldest !== null) this.#remove(this.#oldest);
  }

  #byId(): Map<string, HistoryEntry> {
    if (this.#index !== null) return this.#index;
    this.#index = new Map();
    for (let entry = this.#oldest; entry !== null; entry = entry.newer) this.#index.set(entry.event.event_id, entry);
    return this.#index;
  }

  #remove(entry: HistoryEntry): void {
    entry.list?.remove(entry);
    entry.list = null;
    if (entry.older === null) this.#oldest = entry.newer;
    else entry.older.newer = entry.newer;
    if (entry.newer === null) this.#newest = entry.older;
    else entry.newer.older = entry.older;
    // Else a removed entry that the collector has moved to the old generation would keep all later ones alive.
    entry.older = null;
    entry.newer = null;
    this.#size -= 1;
    this.#index?.delete(entry.event.event_id);
  }

  #evict(): void {
    const { completed, started, pending } = this.#lists;
    const entry = completed.first ?? started.first ?? pending.first;
    if (entry !== null) this.#remove(entry);
  }
}
