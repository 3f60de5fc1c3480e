import type { BaseEvent } from '@threadbus/core';

/** Events of one bucket: mostly none or one. */
type Bucket = BaseEvent | BaseEvent[] | undefined;

const firstBuckets = 1024;

/**
 * Events by id, for many that come and go.
 *
 * A Map that is filled and emptied all the time makes itself a new table again and again, and each old one points to the
 * next: once V8 has moved one of them to the old generation, all later ones stay alive until the next major collection,
 * with every event that was in them. With a Map here, a third of all that a burst allocates was kept that way, and
 * collecting it took more time than all the rest of sending.
 */
export class EventIndex {
  #buckets = emptyBuckets(firstBuckets);
  #size = 0;

  get(id: string): BaseEvent | undefined {
    const bucket = this.#buckets[this.#place(id)];
    if (bucket === undefined) return undefined;
    if (!Array.isArray(bucket)) return bucket.event_id === id ? bucket : undefined;
    return bucket.find((event) => event.event_id === id);
  }

  /** Takes the place of another event with that id. */
  set(event: BaseEvent): void {
    if (this.#size * 4 > this.#buckets.length) this.#grow();
    const { event_id: id } = event;
    const place = this.#place(id);
    const bucket = this.#buckets[place];
    if (bucket === undefined) {
      this.#buckets[place] = event;
    } else {
      const others = (Array.isArray(bucket) ? bucket : [bucket]).filter((other) => other.event_id !== id);
      this.#size -= (Array.isArray(bucket) ? bucket.length : 1) - others.length;
      this.#buckets[place] = [...others, event];
    }
    this.#size += 1;
  }

  /** @returns whether there was an event with that id */
  delete(id: string): boolean {
    const place = this.#place(id);
    const bucket = this.#buckets[place];
    if (bucket === undefined) return false;
    if (!Array.isArray(bucket)) {
      if (bucket.event_id !== id) return false;
      this.#buckets[place] = undefined;
    } else {
      const at = bucket.findIndex((event) => event.event_id === id);
      if (at < 0) return false;
      bucket.splice(at, 1);
      if (bucket.length === 1) this.#buckets[place] = bucket[0];
    }
    this.#size -= 1;
    return true;
  }

  *[Symbol.iterator](): IterableIterator<BaseEvent> {
    for (const bucket of this.#buckets) {
      if (Array.isArray(bucket)) yield* bucket;
      else if (bucket !== undefined) yield bucket;
    }
  }

  /** The last digits of a UUID are random. */
  #place(id: string): number {
    let hash = 0;
    for (let at = id.length - 8; at < id.length; at += 1) hash = (Math.imul(hash, 31) + id.charCodeAt(at)) | 0;
    return (hash ^ (hash >>> 15)) & (this.#buckets.length - 1);
  }

  #grow(): void {
    const events = [...this];
    this.#buckets = emptyBuckets(this.#buckets.length * 2);
    this.#size = 0;
    for (const event of events) this.set(event);
  }
}

function emptyBuckets(count: number): Bucket[] {
  return Array.from({ length: count }, () => undefined);
}
