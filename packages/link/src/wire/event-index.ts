import type { BaseEvent } from '@threadbus/core';
import { idOriginOf, orderOf, tailOf, tailOfText } from '@threadbus/core/internal';

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
    const bucket = this.#buckets[this.#place(tailOfText(id))];
    return bucket === undefined ? undefined : find(bucket, (event) => event.event_id === id);
  }

  /** The event that has the same id; mostly none, and then no text is made of either's. */
  twinOf(event: BaseEvent): BaseEvent | undefined {
    const bucket = this.#buckets[this.#place(tailOfEvent(event))];
    return bucket === undefined ? undefined : find(bucket, (other) => hasSameId(event, other));
  }

  /** Takes the place of another event with that id. */
  set(event: BaseEvent): void {
    if (this.#size * 4 > this.#buckets.length) this.#grow();
    const place = this.#place(tailOfEvent(event));
    const bucket = this.#buckets[place];
    if (bucket === event) return;
    if (bucket === undefined) {
      this.#buckets[place] = event;
    } else {
      const others = (Array.isArray(bucket) ? bucket : [bucket]).filter((other) => !hasSameId(event, other));
      this.#size -= (Array.isArray(bucket) ? bucket.length : 1) - others.length;
      this.#buckets[place] = [...others, event];
    }
    this.#size += 1;
  }

  /** @returns whether it was there */
  delete(event: BaseEvent): boolean {
    const place = this.#place(tailOfEvent(event));
    const bucket = this.#buckets[place];
    if (bucket === event) {
      this.#buckets[place] = undefined;
    } else {
      const at = Array.isArray(bucket) ? bucket.indexOf(event) : -1;
      if (!Array.isArray(bucket) || at < 0) return false;
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

  #place(tail: number): number {
    return tail & (this.#buckets.length - 1);
  }

  #grow(): void {
    const events = [...this];
    this.#buckets = emptyBuckets(this.#buckets.length * 2);
    this.#size = 0;
    for (const event of events) this.set(event);
  }
}

function find(bucket: BaseEvent | BaseEvent[], isIt: (event: BaseEvent) => boolean): BaseEvent | undefined {
  if (Array.isArray(bucket)) return bucket.find(isIt);
  return isIt(bucket) ? bucket : undefined;
}

function emptyBuckets(count: number): Bucket[] {
  return Array.from({ length: count }, () => undefined);
}

/** The last digits of its id. */
function tailOfEvent(event: BaseEvent): number {
  const order = orderOf(event);
  return order > 0 ? tailOf(order, idOriginOf(event)) : tailOfText(event.event_id);
}

function hasSameId(event: BaseEvent, other: BaseEvent): boolean {
  const order = orderOf(event);
  const made = order > 0 && orderOf(other) > 0 && idOriginOf(event) === idOriginOf(other);
  return made ? order === orderOf(other) : event.event_id === other.event_id;
}
