import type { BaseEvent } from '@threadbus/core';
import { type Lifecycle, lifecycleOf } from '@threadbus/core/internal';
import { EventIndex } from '../wire/event-index.ts';

/** How many completed events a bus with several links knows again: one that is slower than so many others runs twice. */
const remembered = 16_384;

/** What the links of one bus have in common. */
class Crossed {
  readonly events = new EventIndex();
  /** Null until there is one: most buses never get an event back. */
  returned: WeakSet<Lifecycle> | null = null;
  /** Ids of events that are complete here, the oldest first. */
  readonly past = new Set<string>();
  /** Events of which a copy went over a link that is down: it may still be under way. Null until there is one. */
  lost: WeakSet<Lifecycle> | null = null;
  linksUp = 0;
}

/**
 * The events of one bus that are under way over some link, sent or received, by id: so that an event which comes back,
 * or comes on two ways, is the same object, and a child finds its parent.
 */
export class Crossings {
  #shared = new Crossed();

  find(id: string): BaseEvent | undefined {
    return this.#shared.events.get(id);
  }

  /** The same event, if it has crossed before. */
  twinOf(event: BaseEvent): BaseEvent | undefined {
    return this.#shared.events.twinOf(event);
  }

  /** From now until `remove`, which is due when the event is complete. */
  add(event: BaseEvent): void {
    this.#shared.events.set(event);
  }

  remove(event: BaseEvent): void {
    const { events, linksUp, lost } = this.#shared;
    if (!events.delete(event)) return;
    const lifecycle = lifecycleOf(event);
    // With one link there is no second way here; and one that was made here is complete only when all its copies are,
    // except those that a lost link took along.
    const mayComeAgain = lost?.has(lifecycle) === true ? linksUp > 0 : linksUp > 1 && lifecycle.cameOver !== null;
    if (mayComeAgain) this.#remember(event.event_id);
  }

  /** The event was here and is complete: it comes on another way, which took longer. */
  wasHere(event: BaseEvent): boolean {
    return this.#shared.past.size > 0 && this.#shared.past.has(event.event_id);
  }

  linkUp(): void {
    this.#shared.linksUp += 1;
  }

  linkDown(): void {
    this.#shared.linksUp -= 1;
  }

  /** A copy of the event was sent over a link that is down now. */
  markLost(lifecycle: Lifecycle): void {
    (this.#shared.lost ??= new WeakSet()).add(lifecycle);
  }

  /** The event came back to where it was: some of the results that others report of it are here already. */
  markReturned(lifecycle: Lifecycle): void {
    (this.#shared.returned ??= new WeakSet()).add(lifecycle);
  }

  hasReturned(lifecycle: Lifecycle): boolean {
    return this.#shared.returned?.has(lifecycle) ?? false;
  }

  /** From now on both are the same; `other` must not have had an event back. */
  share(other: Crossings): void {
    if (this.#shared === other.#shared) return;
    for (const event of other.#shared.events) this.#shared.events.set(event);
    this.#shared.linksUp += other.#shared.linksUp;
    other.#shared = this.#shared;
  }

  #remember(id: string): void {
    const { past } = this.#shared;
    past.add(id);
    if (past.size <= remembered) return;
    const [oldest] = past;
    if (oldest !== undefined) past.delete(oldest);
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
