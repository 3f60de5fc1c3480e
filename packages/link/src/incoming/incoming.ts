import type { AsyncResource } from 'node:async_hooks';
import type { BaseEvent, EventBus } from '@threadbus/core';
import {
  addChild,
  extrasOf,
  type ForwardTarget,
  type Lifecycle,
  lifecycleOf,
  listOf,
  type Part,
  pathOf,
  setPath,
  type EventConstructor,
} from '@threadbus/core/internal';
import type { CancelCauses } from '../outgoing/cancel-causes.ts';
import type { Crossings } from '../outgoing/crossings.ts';
import type { RemotePart } from '../outgoing/remote-part.ts';
import { decodeThrown } from '../wire/error-codec.ts';
import { mergePath, mergeSteps } from '../wire/event-codec.ts';
import { Arrival, type ArrivalHost, type ArrivalOwner } from './arrival.ts';
import { emptyPart } from '../wire/empty-part.ts';
import { whenChildrenDone } from './children.ts';
import { malformed } from '../wire/malformed.ts';
import { marksArrived } from '../wire/event-marks.ts';
import { restoreContext } from '../wire/portable.ts';
import type { WireCall, WireMore, WireValue } from '../wire/protocol.ts';

/** What arrivals need of their link. */
export interface IncomingHost extends ArrivalHost {
  readonly crossings: Crossings;
  /** At this end. */
  readonly bus: EventBus | null;
  /** Where an arrival for that target goes; undefined if there is none any more. */
  targetOf(target: number, call: WireCall | null): ForwardTarget | undefined;
  classOf(type: string): EventConstructor | undefined;
  /** The part that this side sent there under that number; undefined if it has been answered. */
  sentAs(number: number): RemotePart | undefined;
  /** As what this end of the link introduces itself. */
  readonly end: string | null;
  /** All that the arrival needs is done. */
  answer(arrival: Arrival): void;
  /** The event could not be taken. */
  refuse(number: number, event: BaseEvent, error: Error): void;
  arrived(arrival: Arrival): void;
}

/** The events that came over one link and are not answered yet. */
export class Incoming implements ArrivalOwner {
  readonly #host: IncomingHost;
  /** Why this side has cancelled events there: what comes back of them may say so again. */
  readonly #causes: CancelCauses;
  /** By the number that the other side gave them. */
  readonly #arrivals: (Arrival | undefined)[] = [];
  #size = 0;

  constructor(host: IncomingHost, causes: CancelCauses) {
    this.#host = host;
    this.#causes = causes;
  }

  get size(): number {
    return this.#size;
  }

  /**
   * @param arrived the event as it came: if it was here before, that one is meant
   * @param failure why it isn't of its class, which matters if it was not
   */
  receive(
    number: number,
    target: number,
    arrived: BaseEvent,
    jump: boolean,
    more: WireMore | null,
    failure: Error | null,
  ): void {
    const host = this.#host;
    if (this.#arrivals[number] !== undefined) malformed('the number of an EVENT');
    const { 1: path, 2: values, 3: call, 4: under, 5: ancestors } = more ?? nothingMore;
    const known = host.crossings.twinOf(arrived);
    if (failure !== null && known === undefined) {
      host.refuse(number, arrived, failure);
      return;
    }
    const event = known ?? arrived;
    if (path !== null) mergePath(event, path);
    const lifecycle = lifecycleOf(event);
    const isCall = call !== null;
    const destination = host.targetOf(target, call);
    // Sent to it, or forwarded by what this side has registered there.
    const isForBus = !isCall && host.bus !== null && destination?.id === host.bus.id;
    // A call is answered with what its function has made of it: the first that came for a bus tells all the rest.
    const isFirst = !isCall && (lifecycle.extras.cameOver as Arrival | null)?.isCall === true;
    const arrival = new Arrival(this, host, number, event, known === undefined, isCall, ancestors);
    if (known === undefined) {
      const extras = extrasOf(lifecycle);
      extras.cameOver = arrival;
      extras.crossed = host.crossings.key;
      const earlier = host.crossings.pastOf(event);
      if (earlier !== undefined) mergeSteps(event, earlier.path);
    } else {
      host.crossings.markReturned(lifecycle);
    }
    // Most have been nowhere, and then there is nothing to look for.
    if (isForBus && pathOf(event).length > 0 && !host.crossings.had(event) && !isOn(lifecycle, host.bus)) {
      this.#notHad(event);
    }
    let context: AsyncResource;
    try {
      context = restoreContext(values);
    } catch (error) {
      host.refuse(number, event, error as Error);
      return;
    }
    marksArrived(event, values, this);
    if (destination === undefined) {
      // A handler that was taken off while the event was on its way to it.
      if (target !== 0) this.#answerEmpty(arrival);
      else host.refuse(number, event, new Error('The bus at this end takes no events any more.'));
      return;
    }
    // The bus for which it came is a step that the other side has taken already.
    arrival.steps = pathOf(event).length + (target === 0 ? 1 : 0);
    host.arrived(arrival);
    if (known === undefined) this.#enterTree(event, under, ancestors);
    if (jump) lifecycle.cover();
    // A function may be called within `accept`, and await at once: then it has to be known who waits for it.
    arrival.from(lifecycle, known !== undefined);
    let part: Part | null;
    try {
      part = destination.accept(event, context);
    } catch (error) {
      lifecycle.release(arrival);
      this.#refuse(arrival, error as Error);
      return;
    }
    if (part !== null) {
      if (isFirst) {
        arrival.brought = true;
        extrasOf(lifecycle).cameOver = arrival;
      }
      this.#open(arrival, part);
    } else {
      lifecycle.release(arrival);
      this.#answerEmpty(arrival);
    }
  }

  /** It came under that number, and is not answered for. */
  knows(number: number): boolean {
    return this.#arrivals[number] !== undefined;
  }

  promote(number: number): void {
    this.#arrivals[number]?.lifecycle.cover();
  }

  cancel(number: number, cause: WireValue): void {
    const arrival = this.#arrivals[number];
    if (arrival === undefined) return;
    const reason = this.#causes.original(decodeThrown(cause));
    // A function that has run out of time takes nothing along but itself: the event may be on the bus here, too.
    if (arrival.brought && !arrival.isCall) arrival.lifecycle.cancel(reason);
    else arrival.part?.cancel(reason);
  }

  /**
   * The bus has not had the event, whatever its path says: that names steps which somebody is about to take. This one is
   * taken now.
   */
  #notHad(event: BaseEvent): void {
    const id = this.#host.bus?.id;
    const path = pathOf(event);
    if (path.some((step) => step.id === id))
      setPath(
        event,
        path.filter((step) => step.id !== id),
      );
  }

  #open(arrival: Arrival, part: Part): void {
    const { lifecycle } = arrival;
    this.#arrivals[arrival.number] = arrival;
    this.#size += 1;
    arrival.part = part;
    if (arrival.brought) {
      this.#host.crossings.add(arrival.event);
      return;
    }
    // The other side's copy needs no more of it than this part, with all that its handlers leave behind.
    const answer = (): void =>
      whenChildrenDone(listOf(part.runners), () => {
        lifecycle.release(arrival);
        this.#close(arrival);
      });
    if (part.over) answer();
    else part.onDone = answer;
  }

  /** An event that came with its arrival is complete. */
  ended(arrival: Arrival): void {
    this.#host.crossings.remove(arrival.event);
    this.#close(arrival);
  }

  #close(arrival: Arrival): void {
    this.#arrivals[arrival.number] = undefined;
    this.#size -= 1;
    this.#answer(arrival);
  }

  #answerEmpty(arrival: Arrival): void {
    if (arrival.brought) endEmpty(arrival.lifecycle);
    this.#answer(arrival);
  }

  /** From now on its number, and with it its place on the board, may be another event's. */
  #answer(arrival: Arrival): void {
    arrival.slot = -1;
    this.#host.answer(arrival);
  }

  /**
   * The event may be a child of what handlers at the other end make of an event of this side: then it is its child here,
   * too. One whose parent is here, but was handled for somebody else, is none: nobody here would ever cover it.
   */
  #enterTree(event: BaseEvent, under: number | null, ancestors: readonly string[] | null): void {
    const { crossings, end } = this.#host;
    const lifecycle = lifecycleOf(event);
    const parentId = event.event_parent_id;
    const part = under === null ? undefined : this.#host.sentAs(under);
    if (part !== undefined && part.event.event_id === parentId) {
      lifecycle.dispatched(part.runner);
      if (lifecycle.parent !== null) addChild(part.runner, lifecycle);
      return;
    }
    lifecycle.dispatched(null);
    part?.keep(event);
    let above = part?.lifecycle;
    if (above === undefined && ancestors !== null) above = crossings.ancestor(ancestors, end);
    if (above === undefined && parentId !== null) {
      const parent = crossings.find(parentId);
      if (parent !== undefined) above = lifecycleOf(parent);
    }
    if (above !== undefined) lifecycle.descends(above);
  }

  #refuse(arrival: Arrival, error: Error): void {
    arrival.slot = -1;
    this.#host.refuse(arrival.number, arrival.event, error);
    if (arrival.brought) endEmpty(arrival.lifecycle);
  }
}

const nothingMore: WireMore = [null, null, null, null, null, null];

/** Nothing else would ever complete an event that came here for this alone. */
function endEmpty(lifecycle: Lifecycle): void {
  lifecycle.attach(emptyPart());
  lifecycle.partDone();
}

/** Whether one of the event's parts is on that bus. Apart: a function made in `receive` would cost every event. */
function isOn(lifecycle: Lifecycle, bus: EventBus | null): boolean {
  return bus !== null && lifecycle.somePart((part) => part.runningBus === bus);
}
