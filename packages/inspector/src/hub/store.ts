import type { Place } from '../basics/messages.ts';
import type { CallRecord, EventRecord } from '../basics/records.ts';
import { mergeCall } from './merge-call.ts';

/** Events, and bytes of what is told of them (as text: about that much), of which the oldest go first. */
const mostEvents = 10_000;
const mostBytes = 16 * 1024 * 1024;
const eventBytes = 300;
const callBytes = 250;

/** An event, of which several threads have told their part. */
export interface StoredEvent {
  readonly record: EventRecord;
  /** Agents that have told of it; the one where it was dispatched first. */
  readonly agents: readonly number[];
}

interface Slot extends StoredEvent {
  readonly bytes: number;
}

/** All that is known of the latest events, put together from what agents tell. */
export class EventStore {
  readonly #slots = new Map<string, Slot>();
  #bytes = 0;

  get size(): number {
    return this.#slots.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(id: string): StoredEvent | undefined {
    return this.#slots.get(id);
  }

  /** The latest, oldest first: so many, and so many bytes, at most. */
  latest(count: number, mostBytesOfThem: number): EventRecord[] {
    let left = mostBytesOfThem;
    const slots = [...this.#slots.values()].slice(-count).reverse();
    const fitting = slots.filter(({ bytes }) => (left -= bytes) >= 0);
    return fitting.reverse().map(({ record }) => record);
  }

  *records(): Iterable<EventRecord> {
    for (const { record } of this.#slots.values()) yield record;
  }

  /** An agent tells of an event. @returns what is known of it now */
  add(told: EventRecord, agent: number): EventRecord {
    const known = this.#slots.get(told.id);
    const record = known === undefined ? told : merge(known.record, told);
    const others = (known?.agents ?? []).filter((each) => each !== agent);
    const agents = told.born !== null || known === undefined ? [agent, ...others] : [...(known?.agents ?? [])];
    if (!agents.includes(agent)) agents.push(agent);
    this.#put({ record, agents, bytes: bytesOf(record) });
    while (this.#slots.size > mostEvents || this.#bytes > mostBytes) this.#dropOldest();
    return record;
  }

  /**
   * A thread is gone: what ran there has ended, and so have events that were dispatched there. Calls of events that are
   * complete have ended too: that they are may have been told by the caller before it is heard here that the thread is gone.
   *
   * @returns what has changed
   */
  lost(agent: number, place: Place, at: number): EventRecord[] {
    const changed: EventRecord[] = [];
    for (const slot of this.#slots.values()) {
      const { record } = slot;
      const ranThere = (call: CallRecord): boolean =>
        call.ended === null && call.thread === place.thread && call.pid === place.pid;
      const isHome = record.done === null && record.born !== null && slot.agents[0] === agent;
      if (!isHome && !record.calls.some(ranThere)) continue;
      const calls = record.calls.map((call) =>
        ranThere(call) ? { ...call, ended: at, status: 'lost' as const } : call,
      );
      const end = isHome ? { done: at, outcome: 'lost' as const } : {};
      const now = { ...record, calls, ...end };
      this.#put({ ...slot, record: now, bytes: bytesOf(now) });
      changed.push(now);
    }
    return changed;
  }

  /** Nobody hears any more how they go on. */
  dropOpen(): void {
    for (const [id, { record, bytes }] of this.#slots) {
      if (record.done !== null) continue;
      this.#slots.delete(id);
      this.#bytes -= bytes;
    }
  }

  #put(slot: Slot): void {
    const { id } = slot.record;
    this.#bytes += slot.bytes - (this.#slots.get(id)?.bytes ?? 0);
    this.#slots.set(id, slot);
  }

  #dropOldest(): void {
    const [id, slot] = this.#slots.entries().next().value as [string, Slot];
    this.#slots.delete(id);
    this.#bytes -= slot.bytes;
  }
}

/** What is told later adds to what is known, and takes nothing away. */
function merge(known: EventRecord, told: EventRecord): EventRecord {
  const calls = new Map(known.calls.map((call) => [call.id, call]));
  for (const call of told.calls) {
    const before = calls.get(call.id);
    calls.set(call.id, before === undefined ? call : mergeCall(before, call));
  }
  // Where it was dispatched it is complete when all of it is; elsewhere, when its part there is.
  const home = told.born !== null ? told : known.born !== null ? known : told;
  const outcome = home.outcome === 'lost' ? (told.outcome ?? 'lost') : home.outcome;
  return {
    id: known.id,
    parent: known.parent ?? told.parent,
    type: known.type,
    bus: home.bus || told.bus,
    path: told.path.length > known.path.length ? told.path : known.path,
    born: known.born ?? told.born,
    done: home.done,
    outcome,
    calls: [...calls.values()],
  };
}

function bytesOf({ calls, path }: EventRecord): number {
  let bytes = eventBytes + path.length * 32;
  for (const { error } of calls) {
    bytes += callBytes + (error === null ? 0 : error.message.length + (error.stack?.length ?? 0));
  }
  return bytes;
}
