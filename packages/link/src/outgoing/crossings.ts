import type { BaseEvent } from '@threadbus/core';
import {
  type BusIdentity,
  type Lifecycle,
  lifecycleOf,
  passed,
  pathOf,
  type PathStep,
  setPath,
  type Twins,
} from '@threadbus/core/internal';
import { DispatchTimes } from './dispatch-times.ts';
import { hasLostPart } from './lost-part.ts';
import { mergedPath } from '../wire/event-codec.ts';
import { EventIndex } from '../wire/event-index.ts';

/** How many completed events a linked bus knows again: one that is slower than so many others runs twice. */
const remembered = 16_384;
/** Of this thread: over more than one of them an event may come twice. */
let linksUp = 0;

/** An event that is complete here. */
interface Past {
  readonly path: readonly PathStep[];
  /** The bus itself has had it: a step in the path may be one that somebody else is still about to take. */
  readonly had: boolean;
}

/** What the links of one bus have in common. */
class Crossed {
  readonly events = new EventIndex();
  /** Null until there is one: most buses never get an event back. */
  returned: WeakSet<Lifecycle> | null = null;
  readonly times = new DispatchTimes();
  /** Events that are complete here, by id. */
  readonly past = new Map<string, Past>();
  /** Their ids, in a ring: to find the oldest in the map takes it longer the more were deleted. */
  readonly pastIds: string[] = [];
  pastAt = 0;
  /** Events that the bus has had as another object, which came to it within the thread. Null until there is one. */
  hadAsOther: WeakSet<Lifecycle> | null = null;
  /** Events of which a copy went over a link that is down: it may still be under way. Null until there is one. */
  lost: WeakSet<Lifecycle> | null = null;
  /** Ids under which these links introduce this side. */
  readonly ends = new Set<string>();
  linksUp = 0;
}

function lifecycleIn({ events }: Crossed, id: string): Lifecycle | undefined {
  const event = events.get(id);
  return event === undefined ? undefined : lifecycleOf(event);
}

/** Those of this thread with links that are up. */
const linked = new Set<Crossed>();

/**
 * The events of one bus that are under way over some link, sent or received, by id: so that an event which comes back,
 * or comes on two ways, is the same object, and a child finds its parent.
 */
export class Crossings implements Twins {
  #shared = new Crossed();

  get key(): object {
    return this.#shared;
  }

  find(id: string): BaseEvent | undefined {
    return this.#shared.events.get(id);
  }

  /** The same event, if it has crossed before. */
  twinOf(event: BaseEvent): BaseEvent | undefined {
    return this.#shared.events.twinOf(event);
  }

  /**
   * The bus has had the event: before it came here this time, or as another object. A step in its path doesn't say so: it
   * may be one that somebody else is still about to take.
   */
  had(event: BaseEvent): boolean {
    return this.pastOf(event)?.had === true || this.#shared.hadAsOther?.has(lifecycleOf(event)) === true;
  }

  /** What is known of an event that was here and is complete: it comes on another way, which took longer. */
  pastOf(event: BaseEvent): Readonly<Past> | undefined {
    const { past } = this.#shared;
    return past.size === 0 ? undefined : past.get(event.event_id);
  }

  /**
   * The nearest ancestor of an arriving event that is known here, by what its EVENT says.
   *
   * @param end the arrival's end of the link: what is known there is nearer than what other buses of this thread know
   */
  ancestor(ancestors: readonly string[], end: string | null): Lifecycle | undefined {
    let known: BaseEvent | undefined;
    for (let at = 0; at < ancestors.length; at += 2) {
      const [key, id] = [ancestors[at] as string, ancestors[at + 1] as string];
      if (key === end) return lifecycleIn(this.#shared, id);
      if (known === undefined) for (const other of linked) if (other.ends.has(key)) known ??= other.events.get(id);
    }
    return known === undefined ? undefined : lifecycleOf(known);
  }

  /** From now until `remove`, which is due when the event is complete. */
  add(event: BaseEvent): void {
    this.#shared.events.set(event);
  }

  remove(event: BaseEvent): void {
    if (this.#shared.events.delete(event)) this.#remember(event, false);
  }

  isTwin(event: BaseEvent, bus: Readonly<BusIdentity>): boolean {
    const twin = this.twinOf(event);
    if (twin === event) return false;
    if (twin !== undefined) {
      if (passed(twin, bus)) return true;
      setPath(twin, [...pathOf(twin), bus]);
      (this.#shared.hadAsOther ??= new WeakSet()).add(lifecycleOf(twin));
      return false;
    }
    if (this.pastOf(event)?.had === true) return true;
    this.add(event);
    return false;
  }

  /** When the bus took its events. */
  get times(): DispatchTimes {
    return this.#shared.times;
  }

  took(arrival: number): void {
    this.#shared.times.took(arrival);
  }

  left(event: BaseEvent): void {
    this.#shared.events.delete(event);
    this.#remember(event, true);
  }

  /** A link introduces this side with that id. */
  opened(end: string): void {
    this.#shared.ends.add(end);
  }

  linkUp(): void {
    linksUp += 1;
    this.#shared.linksUp += 1;
    linked.add(this.#shared);
  }

  linkDown(): void {
    linksUp -= 1;
    this.#shared.linksUp -= 1;
    if (this.#shared.linksUp === 0) linked.delete(this.#shared);
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
    for (const end of other.#shared.ends) this.#shared.ends.add(end);
    if (linked.delete(other.#shared)) linked.add(this.#shared);
    other.#shared = this.#shared;
  }

  /**
   * If it may come again. It may have been here before, and have come again for a function alone: the bus has had it all
   * the same.
   */
  #remember(event: BaseEvent, had: boolean): void {
    if (!this.#mayComeAgain(lifecycleOf(event))) return;
    const { past, pastIds, pastAt } = this.#shared;
    const id = event.event_id;
    const before = past.get(id);
    if (before === undefined) {
      const oldest = pastIds[pastAt];
      if (oldest !== undefined) past.delete(oldest);
      pastIds[pastAt] = id;
      this.#shared.pastAt = (pastAt + 1) % remembered;
    }
    const path = before === undefined ? pathOf(event) : mergedPath(before.path, pathOf(event));
    past.set(id, { path, had: had || this.had(event) });
  }

  /**
   * With one link there is no second way here; and one that was made here is complete only when all its copies are, except
   * those that a lost link took along, here or between two others.
   */
  #mayComeAgain(lifecycle: Lifecycle): boolean {
    if (this.#shared.lost?.has(lifecycle) === true) return linksUp > 0;
    return linksUp > 1 && (lifecycle.extras.cameOver !== null || hasLostPart(lifecycle));
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
