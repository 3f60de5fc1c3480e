import type { BaseEvent, ErrorPlace, RunningBus } from '@threadbus/core';
import {
  type BusIdentity,
  EventResult,
  type Lifecycle,
  lifecycleOf,
  type Linked,
  type LinkedList,
  type Moment,
  never,
  newId,
  now,
  type Part,
  type PathStep,
  resultRestored,
  startedAtOf,
  type ThreadPlace,
} from '@threadbus/core/internal';
import type { WireCall } from '../wire/protocol.ts';
import { restoreCause } from './cancel-causes.ts';
import { partHandlerId } from './lost-part.ts';

/** Where the part's operations go. */
export interface PartHost {
  /** The bus at the other end, as this side sees it; null before there is one. */
  readonly remote?: RunningBus | null;
  promote(part: RemotePart): void;
  cancel(part: RemotePart, cause: unknown): void;
  completed(part: RemotePart, got: boolean): void;
  /** What became of it at the other end is known, or that this won't be known. */
  settled?(part: RemotePart, results: readonly EventResult[], answered: boolean): void;
}

/** That handlers had started at the other end, when, and where that was. */
export interface HasRun {
  readonly startedAt: Moment;
  readonly ranIn: ThreadPlace;
}

/** What takes events at the other end, by its number when they are sent: 0 = the bus there, else a subscription. */
export interface Target {
  readonly number: number;
  /** Why it takes nothing any more; 'left' if nobody wants it to: what was meant for it has no result there. */
  readonly gone?: Error | 'left' | null;
}

const nowhere: readonly PathStep[] = [];

/** Where events are to go at the other end. */
export class Destination {
  readonly target: Target;
  /** The bus that the event passes; null if it goes to a function. */
  readonly bus: Readonly<BusIdentity> | null;
  /** Which result the function works for. */
  readonly call: WireCall | null;
  /** Of events that were nowhere before; they share it. */
  readonly path: readonly PathStep[];

  constructor(target: Target, bus: Readonly<BusIdentity> | null, call: WireCall | null = null) {
    this.target = target;
    this.bus = bus;
    this.call = call;
    this.path = bus === null ? nowhere : [bus];
  }
}

const noResults: readonly EventResult[] = [];
const noChildren: readonly Lifecycle[] = [];
const noEvents: readonly BaseEvent[] = [];

/*
 * One event over links: the state machine that every path goes through.
 *
 * An event is one object in each thread that it reaches (on each linked bus, where several are in one thread): made where
 * it was dispatched, its origin, and as a copy wherever a link brought it. What ties the objects together is an edge for
 * each time that it crosses: a RemotePart on the sending side, an Arrival with the same number on the receiving one.
 *
 *   RemotePart   waiting ──EVENT──▶ sent ──RESULT(S)──▶ done          Arrival   open ──all it answers for is done──▶ answered
 *
 * *Open* is an object as long as a part of it is: a Delivery on a bus, a LocalCall of a function, a RemotePart; or a child.
 * So an object is complete no earlier than all that it was handed on to from here, and the origin last of all.
 *
 * *Who answers whom.* The first arrival of an event for a bus brings the object: it is answered when the object is
 * complete, with all its results. An arrival for a function is answered with what the function has made of it. Any other
 * finds the object here (it came on another way, or came back to where it was): it is answered for the new part alone,
 * once that part's handlers have settled *and* all that they left behind is complete. The bringing arrivals form a tree
 * with the origin at its root, and each result goes up exactly one of its edges: none is lost, and what comes twice is told
 * by its handler's id. Edges of that tree and of returned parts never close a circle, since none of them waits for the
 * object that it came from, only for parts that are younger than itself.
 *
 * *Who runs it.* A bus that has had the event, as whichever object, doesn't get it again: the object's path, the index of
 * what is under way (Crossings), and the ids of what is complete say so. A step in a path is a promise, of the bus that
 * somebody hands the event to; only a bus itself knows that it has had it.
 *
 * *Awaits* go down the edges (PROMOTE covers the object at the other end), *probes* for cycles go up them (PROBE), as the
 * EVENT's ancestors do for the recursion limit. *Places* are held by RemoteParts of events that enter the system here,
 * and by no other: see Outgoing.
 *
 * *A link that is lost* ends its RemoteParts with the error, or has them sent again to a replacement; its Arrivals are
 * answered to nobody, and their objects go on. An object whose copy may still be under way is known again by its id.
 */

/** An event at the other end of a link: waiting on this side, then sent, then done when its results have come back. */
export class RemotePart implements Part, Linked<RemotePart> {
  previous: RemotePart | null = null;
  next: RemotePart | null = null;
  nextPart: Part | null = null;
  /** The list in which it waits on this side. */
  list: LinkedList<RemotePart> | null = null;
  /** About what it keeps while it waits there, if that was weighed. */
  bytes = 0;
  readonly event: BaseEvent;
  readonly lifecycle: Lifecycle;
  readonly to: Destination;
  /** At the other end of the link. */
  readonly bus: Readonly<BusIdentity>;
  results: readonly EventResult[] = noResults;
  onDone: (() => void) | null = null;
  state: 'waiting' | 'sent' | 'done' = 'waiting';
  /** Of the EVENT operation, as long as it is on the wire; the other side marks under it in shared memory what has started. */
  number = -1;
  /** When it was sent, in monotonic milliseconds, if somebody measures that. */
  sentAt = 0;
  /** When it was sent, in order of all events of the link. */
  order = 0;
  /** The same, in looks of whoever waits for its answer. */
  sentLook = 0;
  /** It has ended here before it was answered for. */
  abandoned = false;
  /** Gets the function's result. */
  onCalled: ((result: EventResult | undefined) => void) | null = null;
  /** Why it was cancelled after it was sent. */
  cancelCause: { readonly reason: unknown } | null = null;
  /** The other side was lost for something that it could not read, perhaps this: it is sent in a frame of its own. */
  suspect = false;
  /** Buffers were moved with it: it can't be sent again. */
  moved = false;
  /** Its results came from the other end: their errors are this side's to report. */
  answered = false;
  /** Takes one of the places on the wire. */
  counted = false;
  /** Values of portable contexts where the event was dispatched. */
  readonly context: Record<string, unknown> | null;
  readonly #host: PartHost;
  #runner: EventResult | null = null;
  #kept: BaseEvent[] | null = null;
  #descendants: { readonly byId: Map<string, BaseEvent>; children: number; kept: number } | null = null;

  constructor(
    event: BaseEvent,
    to: Destination,
    bus: Readonly<BusIdentity>,
    host: PartHost,
    context: Record<string, unknown> | null,
  ) {
    this.context = context;
    this.event = event;
    this.lifecycle = lifecycleOf(event);
    this.to = to;
    this.bus = bus;
    this.#host = host;
  }

  /** Stands for the handlers at the other end, as the parent of what they dispatch; no result of the event yet. */
  get runner(): EventResult {
    if (this.#runner === null) {
      const { id, name } = this.bus;
      // What a function there dispatches is nested in the handler that it is on its bus.
      const handlerId = this.to.call?.handlerId ?? partHandlerId(this.bus);
      const source = { handlerId, handlerName: 'dispatch', busId: id, busName: name };
      this.#runner = new EventResult(this.lifecycle, source, this.event.event_timeout);
    }
    return this.#runner;
  }

  get runners(): readonly EventResult[] {
    return this.results;
  }

  get place(): ErrorPlace {
    const { event_type, event_id } = this.event;
    return { busName: this.bus.name, handlerName: 'dispatch', eventType: event_type, eventId: event_id };
  }

  /** An event of this side that descends from the handlers at the other end, though not as their child. */
  keep(event: BaseEvent): void {
    (this.#kept ??= []).push(event);
  }

  /** A descendant, by id, that was dispatched to this side. */
  descendant(id: string): BaseEvent | undefined {
    const children = this.#runner?.children ?? noChildren;
    const kept = this.#kept ?? noEvents;
    if (children.length + kept.length === 0) return undefined;
    // Most are never asked for: only then they get an index, which grows as they do.
    const index = (this.#descendants ??= { byId: new Map<string, BaseEvent>(), children: 0, kept: 0 });
    for (; index.children < children.length; index.children += 1) {
      const event = children[index.children]?.event as BaseEvent;
      index.byId.set(event.event_id, event);
    }
    for (; index.kept < kept.length; index.kept += 1) {
      const event = kept[index.kept] as BaseEvent;
      index.byId.set(event.event_id, event);
    }
    return index.byId.get(id);
  }

  /** It goes, or went, to the other end of that link, and there are no results yet. */
  isOpenOn(host: PartHost): boolean {
    return this.#host === host && this.state !== 'done';
  }

  get over(): boolean {
    return this.state === 'done';
  }

  get runningBus(): RunningBus | undefined {
    return this.#host.remote ?? undefined;
  }

  promote(): void {
    if (this.state !== 'done') this.#host.promote(this);
  }

  cancel(cause: unknown): void {
    if (this.state !== 'done') this.#host.cancel(this, cause);
  }

  /** What became of it at the other end, or why it was not taken there. */
  answer(results: readonly EventResult[] | Error): void {
    if (results instanceof Error) this.fail(results);
    else this.settle(results);
  }

  /** What came back becomes the event's, or fills the result that the call was for. */
  settle(results: readonly EventResult[]): void {
    this.#settle(results, true);
  }

  #settle(results: readonly EventResult[], answered: boolean): void {
    if (this.state === 'done') return;
    if (this.cancelCause !== null) restoreCause(results, this.cancelCause.reason);
    this.state = 'done';
    if (this.onCalled === null) {
      this.answered = answered;
      this.results = results;
      this.#start(results);
    } else this.onCalled(results[0]);
    this.#host.settled?.(this, results, answered);
    // What they have left on this side is nobody's to cover any more but this one's.
    if (this.#runner !== null) this.lifecycle.runnerSettled(this.#runner);
    this.lifecycle.extras.onResults?.();
    this.onDone?.();
    this.lifecycle.partDone();
  }

  /** What was first there is known only now. */
  #start(results: readonly EventResult[]): void {
    let first: Moment = never;
    for (const result of results) {
      const at = startedAtOf(result);
      if (at !== never && (first === never || at < first)) first = at;
    }
    if (first !== never) this.lifecycle.start(first);
  }

  /** The handlers at the other end have failed as one: they can't be told apart any more. */
  fail(error: Error, run: HasRun | { readonly startedAt: Moment } = { startedAt: now() }): void {
    if (this.state === 'done') return;
    resultRestored(this.runner, newId(), { status: 'error', value: null, error, ...run, completedAt: now() });
    this.#settle([this.runner], false);
  }

  delivered(): void {
    // The place on the wire was given back when the results came.
  }

  completed(got: boolean): void {
    this.#host.completed(this, got);
  }
}
