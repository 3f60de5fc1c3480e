import { type BaseEvent, orderOf } from '../event/base-event.ts';
import { type Arrived, byArrival, CompletedEvents } from './completed-events.ts';
import { type Open, OpenList } from './open-list.ts';
import { lifecycleOf } from '../event/result-helpers.ts';

/** An event in flight on a bus; the history sets all but the event. */
export interface InFlight<T extends InFlight<T>> extends Open<T> {
  readonly event: BaseEvent;
  /** The number of its arrival at the bus. */
  arrival: number;
  /** Where it stands; null once it is completed. */
  list: OpenList<T> | null;
}

/** Of every bus of which none has completed yet; nothing is ever put into it. */
const nothingCompleted = new CompletedEvents();

/**
 * What a bus holds: all events in flight, and the ones that it remembers, which `eventHistory`, `find` and `logTree`
 * look at.
 *
 * It never remembers more than its limit. What goes first: the event that completed longest ago, then the one that
 * started longest ago, then the oldest pending one. Processing doesn't depend on it: what is forgotten goes on. With a
 * limit of 0 it remembers just the events in flight.
 */
export class EventHistory<T extends InFlight<T>> implements ReadonlyMap<string, BaseEvent> {
  readonly #limit: number | null;
  readonly #pending = new OpenList<T>();
  readonly #started = new OpenList<T>();
  #forgotten: OpenList<T> | null = null;
  #completed = nothingCompleted;
  #arrivals = 0;
  /** By id; made when somebody first asks by id, because an event's id costs something only once it is read. */
  #index: Map<string, BaseEvent> | null = null;

  constructor(limit: number | null) {
    this.#limit = limit;
  }

  /** How many events it remembers. */
  get size(): number {
    return this.#pending.size + this.#started.size + this.#completed.size;
  }

  /** How many events are in flight, remembered or not. */
  get openSize(): number {
    return this.#pending.size + this.#started.size + (this.#forgotten?.size ?? 0);
  }

  /** What is in flight, in order of arrival. */
  open(): T[] {
    return [...this.#pending, ...this.#started, ...(this.#forgotten ?? [])].sort(byArrival);
  }

  /** What is completed and remembered of all from that arrival on, in order of arrival. */
  completedFrom(arrival: number): Arrived[] {
    return this.#completed.from(arrival).sort(byArrival);
  }

  add(flight: T): void {
    const { event } = flight;
    // Two objects may have one id, when an event was restored from JSON: the later one takes the place.
    const index = orderOf(event) === 0 ? this.#byId() : this.#index;
    const twin = index?.get(event.event_id);
    if (twin !== undefined) this.#removeTwin(twin);
    index?.set(event.event_id, event);
    this.#arrivals += 1;
    flight.arrival = this.#arrivals;
    this.#moveTo(flight, lifecycleOf(event).status === 'pending' ? this.#pending : this.#started);
    if (this.#limit !== null && this.#limit > 0 && this.size > this.#limit) this.#evict();
  }

  started(flight: T): void {
    if (flight.list === this.#pending) this.#moveTo(flight, this.#started);
  }

  completed(flight: T): void {
    const forgotten = flight.list === this.#forgotten;
    this.#moveTo(flight, null);
    // Under the id of one that was forgotten there may be another by now.
    if (forgotten) return;
    if (this.#limit === 0) this.#index?.delete(flight.event.event_id);
    else {
      if (this.#completed === nothingCompleted) this.#completed = new CompletedEvents();
      this.#completed.push(flight.event, flight.arrival);
    }
  }

  get(id: string): BaseEvent | undefined {
    return this.#byId().get(id);
  }

  has(id: string): boolean {
    return this.#byId().has(id);
  }

  *keys(): MapIterator<string> {
    for (const event of this.values()) yield event.event_id;
  }

  /** In order of arrival. */
  *values(): MapIterator<BaseEvent> {
    yield* [...this.newestFirst()].reverse();
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

  /** In the reverse order of arrival. */
  newestFirst(): IterableIterator<BaseEvent> {
    return this.#completed.newestFirst([...this.#pending, ...this.#started].sort(byArrival));
  }

  /** Every so many events, the oldest first. */
  everyNth(step: number): BaseEvent[] {
    return [...this.values()].filter((_event, i) => i % step === 0);
  }

  /** Forgets all events. */
  clear(): void {
    for (const flight of [...this.#pending, ...this.#started]) this.#forget(flight);
    this.#completed.clear();
    this.#index?.clear();
  }

  #byId(): Map<string, BaseEvent> {
    this.#index ??= new Map([...this.values()].map((event) => [event.event_id, event]));
    return this.#index;
  }

  #moveTo(flight: T, list: OpenList<T> | null): void {
    flight.list?.remove(flight);
    flight.list = list;
    list?.add(flight);
  }

  #forget(flight: T): void {
    this.#moveTo(flight, (this.#forgotten ??= new OpenList()));
  }

  #removeTwin(twin: BaseEvent): void {
    if (this.#completed.delete(twin)) return;
    const flight = this.open().find(({ event }) => event === twin);
    if (flight !== undefined) this.#forget(flight);
  }

  #evict(): void {
    let event = this.#completed.shift();
    if (event === null) {
      const flight = this.#started.first ?? this.#pending.first;
      if (flight === null) return;
      event = flight.event;
      this.#forget(flight);
    }
    this.#index?.delete(event.event_id);
  }
}
