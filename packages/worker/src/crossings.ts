import type { BaseEvent } from '@threadbus/core';
import type { Lifecycle } from '@threadbus/core/internal';

/** How many completed events a bus with several links knows again: one that is slower than so many others runs twice. */
const remembered = 16_384;

/**
 * The events of one bus that are under way over some link, sent or received, by id: so that an event which comes back,
 * or comes on two ways, is the same object, and a child finds its parent.
 */
export class Crossings {
  #events = new Map<string, BaseEvent>();
  #returned = new WeakSet<Lifecycle>();
  /** Ids of events that are complete here, the oldest first. */
  #past = new Set<string>();
  #links: { up: number } = { up: 0 };

  find(id: string): BaseEvent | undefined {
    return this.#events.get(id);
  }

  /** From now until `remove`, which is due when the event is complete. */
  add(event: BaseEvent): void {
    this.#events.set(event.event_id, event);
  }

  remove(event: BaseEvent): void {
    const { event_id: id } = event;
    // With one link there is no second way here, and nothing to remember.
    if (this.#events.delete(id) && this.#links.up > 1) this.#remember(id);
  }

  /** The event was here and is complete: it comes on another way, which took longer. */
  wasHere(id: string): boolean {
    return this.#past.has(id);
  }

  linkUp(): void {
    this.#links.up += 1;
  }

  linkDown(): void {
    this.#links.up -= 1;
  }

  /** The event came back to where it was: some of the results that others report of it are here already. */
  markReturned(lifecycle: Lifecycle): void {
    this.#returned.add(lifecycle);
  }

  hasReturned(lifecycle: Lifecycle): boolean {
    return this.#returned.has(lifecycle);
  }

  /** From now on both are the same; `other` must not have had an event back. */
  share(other: Crossings): void {
    if (this.#events === other.#events) return;
    for (const [id, event] of other.#events) this.#events.set(id, event);
    this.#links.up += other.#links.up;
    other.#events = this.#events;
    other.#returned = this.#returned;
    other.#past = this.#past;
    other.#links = this.#links;
  }

  #remember(id: string): void {
    this.#past.add(id);
    if (this.#past.size <= remembered) return;
    const [oldest] = this.#past;
    if (oldest !== undefined) this.#past.delete(oldest);
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

/** A link that was made before it was known for which bus it is shares what crosses that bus's other links. */
export function shareCrossings(owner: object, link: object): void {
  crossingsOf(owner).share(crossingsOf(link));
}
