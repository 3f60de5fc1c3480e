import type { BaseEvent } from '@threadbus/core';
import type { Lifecycle } from '@threadbus/core/internal';

/**
 * The events of one bus that are under way over some link, sent or received, by id: so that an event which comes back,
 * or comes on two ways, is the same object, and a child finds its parent.
 */
export class Crossings {
  readonly #events = new Map<string, BaseEvent>();
  readonly #returned = new WeakSet<Lifecycle>();

  find(id: string): BaseEvent | undefined {
    return this.#events.get(id);
  }

  /** From now until `remove`, which is due when the event is complete. */
  add(event: BaseEvent): void {
    this.#events.set(event.event_id, event);
  }

  remove(event: BaseEvent): void {
    this.#events.delete(event.event_id);
  }

  /** The event came back to where it was: some of the results that others report of it are here already. */
  markReturned(lifecycle: Lifecycle): void {
    this.#returned.add(lifecycle);
  }

  hasReturned(lifecycle: Lifecycle): boolean {
    return this.#returned.has(lifecycle);
  }
}

const byOwner = new WeakMap<object, Crossings>();

/** All links of one bus share what crosses them. */
export function crossingsOf(owner: object): Crossings {
  let crossings = byOwner.get(owner);
  if (crossings === undefined) {
    crossings = new Crossings();
    byOwner.set(owner, crossings);
  }
  return crossings;
}

/** A bus that joins links later shares what has crossed them already. */
export function shareCrossings(owner: object, other: object): void {
  byOwner.set(owner, crossingsOf(other));
}
