import type { BaseEvent, EventResult } from '@threadbus/core';
import {
  addChild,
  type ForwardTarget,
  type Lifecycle,
  lifecycleOf,
  type Part,
  type EventConstructor,
  type Wait,
} from '@threadbus/core/internal';
import type { Crossings } from './crossings.ts';
import { decodeThrown } from './error-codec.ts';
import { decodeEvent } from './event-codec.ts';
import { restoreContext } from './portable.ts';
import type { WireCall, WireEvent, WireValue } from './protocol.ts';

/** An event that came over the link and is being handled here. */
export interface Arrival {
  readonly sequence: number;
  readonly event: BaseEvent;
  /** The event came into this thread with this arrival; else it was here before, and only its new part is answered for. */
  readonly brought: boolean;
  readonly part: Part | null;
}

/** What arrivals need of their link. */
export interface IncomingHost {
  readonly crossings: Crossings;
  /** Where an arrival for that target goes; undefined if there is none any more. */
  targetOf(target: number, call: WireCall | null): ForwardTarget | undefined;
  classOf(type: string): EventConstructor | undefined;
  /** The handlers, at the other end, of an event that this side sent there. */
  runnerOf(lifecycle: Lifecycle): EventResult | null;
  /** All that the arrival needs is done. */
  answer(arrival: Arrival): void;
  /** The event could not be taken. */
  refuse(sequence: number, event: BaseEvent, error: Error): void;
  arrived(lifecycle: Lifecycle, slot: number): void;
}

/** The events that came over one link and are not answered yet. */
export class Incoming {
  readonly #host: IncomingHost;
  readonly #arrivals = new Map<number, Arrival>();
  /** Of arrivals whose event was here before. */
  readonly #returned = new Set<Lifecycle>();

  constructor(host: IncomingHost) {
    this.#host = host;
  }

  get size(): number {
    return this.#arrivals.size;
  }

  has(lifecycle: Lifecycle): boolean {
    return (lifecycle.cameOver === this.#host && !lifecycle.settled) || this.#returned.has(lifecycle);
  }

  receive(sequence: number, target: number, wire: WireEvent, jump: boolean, slot: number, call: WireCall | null): void {
    const host = this.#host;
    const known = host.crossings.find(wire[2]);
    const event = known ?? decodeEvent(wire, host.classOf(wire[0]));
    const lifecycle = lifecycleOf(event);
    if (known === undefined) lifecycle.cameOver = host;
    else host.crossings.markReturned(lifecycle);
    if (known === undefined && target === 0 && host.crossings.wasHere(wire[2])) {
      host.answer({ sequence, event, brought: true, part: null });
      return;
    }
    const destination = host.targetOf(target, call);
    const context = restoreContext(wire[8]);
    if (destination === undefined) {
      host.refuse(sequence, event, new Error('The bus at this end takes no events any more.'));
      return;
    }
    host.arrived(lifecycle, slot);
    if (known === undefined) this.#enterTree(event);
    if (jump) lifecycle.cover();
    let part: Part | null;
    try {
      part = destination.accept(event, context);
    } catch (error) {
      this.#refuse(sequence, event, known === undefined, error as Error);
      return;
    }
    if (part === null && known === undefined) endEmpty(lifecycle);
    this.#open({ sequence, event, brought: known === undefined, part });
  }

  promote(sequence: number): void {
    const arrival = this.#arrivals.get(sequence);
    if (arrival !== undefined) lifecycleOf(arrival.event).cover();
  }

  cancel(sequence: number, cause: WireValue): void {
    const arrival = this.#arrivals.get(sequence);
    if (arrival === undefined) return;
    const error = decodeThrown(cause) as Error;
    if (arrival.brought) lifecycleOf(arrival.event).cancel(error);
    else arrival.part?.cancel(error);
  }

  #open(arrival: Arrival): void {
    const { part, event } = arrival;
    const lifecycle = lifecycleOf(event);
    if (part === null) {
      this.#host.answer(arrival);
      return;
    }
    this.#arrivals.set(arrival.sequence, arrival);
    if (arrival.brought) {
      this.#host.crossings.add(event);
      lifecycle.addWait(new ArrivalEnd(this, arrival));
      return;
    }
    this.#returned.add(lifecycle);
    part.onDone = () => {
      this.#returned.delete(lifecycle);
      this.#close(arrival);
    };
  }

  /** An event that came with its arrival is complete. */
  ended(arrival: Arrival): void {
    this.#host.crossings.remove(arrival.event);
    this.#close(arrival);
  }

  #close(arrival: Arrival): void {
    this.#arrivals.delete(arrival.sequence);
    this.#host.answer(arrival);
  }

  /** The event's parent may be here, at work at the other end: then the event is its child on this side too. */
  #enterTree(event: BaseEvent): void {
    const lifecycle = lifecycleOf(event);
    const parent = event.event_parent_id === null ? undefined : this.#host.crossings.find(event.event_parent_id);
    const runner = parent === undefined ? null : this.#host.runnerOf(lifecycleOf(parent));
    lifecycle.dispatched(runner);
    if (runner !== null && lifecycle.parent !== null) addChild(runner, lifecycle);
  }

  #refuse(sequence: number, event: BaseEvent, brought: boolean, error: Error): void {
    this.#host.refuse(sequence, event, error);
    if (brought) endEmpty(lifecycleOf(event));
  }
}

/** Waits for the event's completion, as nobody's await. */
class ArrivalEnd implements Wait {
  readonly runner = null;
  readonly #incoming: Incoming;
  readonly #arrival: Arrival;

  constructor(incoming: Incoming, arrival: Arrival) {
    this.#incoming = incoming;
    this.#arrival = arrival;
  }

  settle(): void {
    this.#incoming.ended(this.#arrival);
  }
}

/** Nothing else would ever complete an event that came here for this alone. */
function endEmpty(lifecycle: Lifecycle): void {
  lifecycle.attach(emptyPart());
  lifecycle.partDone();
}

function emptyPart(): Part {
  return {
    nextPart: null,
    results: [],
    onDone: null,
    promote: () => undefined,
    cancel: () => undefined,
    delivered: () => undefined,
    completed: () => undefined,
  };
}
