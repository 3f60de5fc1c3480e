import type { BaseEvent } from './base-event.ts';
import { type Linked, LinkedList } from './linked-list.ts';
import { lifecycleOf } from './result-helpers.ts';
import type { EventStatus } from './lifecycle.ts';

class Entry implements Linked<Entry> {
  previous: Entry | null = null;
  next: Entry | null = null;
  readonly event: BaseEvent;
  list: LinkedList<Entry>;

  constructor(event: BaseEvent, list: LinkedList<Entry>) {
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
  readonly #entries = new Map<string, Entry>();
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
    const list = this.#lists[event.event_status];
    const entry = new Entry(event, list);
    this.#entries.set(event.event_id, entry);
    list.push(entry);
    if (this.#limit !== null && this.#limit > 0 && this.#entries.size > this.#limit) this.#evict();
  }

  /** The event's status has changed. */
  move(event: BaseEvent): void {
    const entry = this.#entries.get(event.event_id);
    const { status } = lifecycleOf(event);
    if (entry === undefined || entry.list === this.#lists[status]) return;
    entry.list.remove(entry);
    if (status === 'completed' && this.#limit === 0) {
      this.#entries.delete(event.event_id);
      return;
    }
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

  clear(): void {
    this.#entries.clear();
    for (const list of Object.values(this.#lists)) while (list.shift() !== null);
  }

  #evict(): void {
    const { completed, started, pending } = this.#lists;
    const entry = completed.shift() ?? started.shift() ?? pending.shift();
    if (entry !== null) this.#entries.delete(entry.event.event_id);
  }
}
