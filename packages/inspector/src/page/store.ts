import type { Batch, Summary, ThreadNews } from '../basics/batch.ts';
import type { EventRecord } from '../basics/records.ts';
import { Share } from './share.ts';

/** Events that the page remembers, and numbers of each bus, one for each half second. */
const mostEvents = 10_000;
const mostPoints = 120;

/** What the page knows; it forgets the oldest. */
export class Store {
  readonly events: Map<string, EventRecord> = new Map();
  /** Ids of an event's children, in the order in which they were heard of. */
  readonly children: Map<string, Set<string>> = new Map();
  numbers: NonNullable<Batch['numbers']> = [];
  /** Queue lengths, by what is shown of whom. */
  readonly points: Map<string, number[]> = new Map();
  threads: readonly ThreadNews[] = [];
  summary: Summary = { slowest: [], edges: [] };
  seen = 0;
  skipped = 0;
  missed = 0;
  untold = 0;
  readonly share: Share = new Share();

  add(batch: Batch): void {
    for (const event of batch.events) this.#put(event);
    this.seen += batch.seen;
    this.skipped += batch.skipped;
    this.untold += batch.untold;
    this.share.add(performance.now(), batch.seen, batch.skipped);
    if (batch.threads !== null) this.threads = batch.threads;
    if (batch.summary !== null) this.summary = batch.summary;
    if (batch.numbers !== null) this.#count(batch.numbers);
  }

  /** The latest so many that fit, newest first. */
  latest(fits: (event: EventRecord) => boolean, most: number): EventRecord[] {
    const found: EventRecord[] = [];
    const all = [...this.events.values()];
    for (let at = all.length - 1; at >= 0 && found.length < most; at -= 1) {
      const event = all[at] as EventRecord;
      if (fits(event)) found.push(event);
    }
    return found;
  }

  /** The event and all below it that are known, at most so many. */
  tree(id: string, most: number): EventRecord[] {
    const found: EventRecord[] = [];
    const ids = [id];
    for (let at = 0; at < ids.length && found.length < most; at += 1) {
      const event = this.events.get(ids[at] as string);
      if (event === undefined) continue;
      found.push(event);
      ids.push(...(this.children.get(event.id) ?? []));
    }
    return found;
  }

  #put(event: EventRecord): void {
    this.events.set(event.id, event);
    if (event.parent !== null) {
      const siblings = this.children.get(event.parent) ?? new Set();
      siblings.add(event.id);
      this.children.set(event.parent, siblings);
    }
    while (this.events.size > mostEvents) this.#forget(this.events.keys().next().value as string);
  }

  #forget(id: string): void {
    const parent = this.events.get(id)?.parent ?? null;
    this.events.delete(id);
    if (parent === null) return;
    const siblings = this.children.get(parent);
    siblings?.delete(id);
    if (siblings?.size === 0) this.children.delete(parent);
  }

  #count(numbers: NonNullable<Batch['numbers']>): void {
    this.numbers = numbers;
    const names = new Set<string>();
    for (const { pid, thread, numbers: own } of numbers) {
      const add = (name: string, value: number): void => {
        const key = `${pid}/${thread}/${name}`;
        names.add(key);
        const points = this.points.get(key) ?? [];
        points.push(value);
        if (points.length > mostPoints) points.shift();
        this.points.set(key, points);
      };
      for (const bus of own.buses) add(`bus ${bus.name}`, bus.queued);
      for (const [at, pool] of own.pools.entries()) add(`pool ${at}`, pool.waiting);
    }
    for (const key of this.points.keys()) if (!names.has(key)) this.points.delete(key);
  }
}
