import { type BaseEvent, type ErrorPlace, EventResult, type RunningBus } from '@threadbus/core';
import {
  type BusIdentity,
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
} from '@threadbus/core/internal';
import type { WireCall } from '../wire/protocol.ts';
import { restoreCause } from './cancel-causes.ts';

/** Where the part's operations go. */
export interface PartHost {
  /** The bus at the other end, as this side sees it; null before there is one. */
  readonly remote?: RunningBus | null;
  promote(part: RemotePart): void;
  cancel(part: RemotePart, cause: unknown): void;
  completed(part: RemotePart): void;
  /** What became of it at the other end is known, or that this won't be known. */
  settled?(part: RemotePart, results: readonly EventResult[], answered: boolean): void;
}

/** What takes events at the other end, by its number when they are sent: 0 = the bus there, else a subscription. */
export interface Target {
  readonly number: number;
  /** Why it takes nothing any more. */
  readonly gone?: Error | null;
}

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
    this.path = bus === null ? [] : [bus];
  }
}

const noResults: readonly EventResult[] = [];

/** An event at the other end of a link: waiting on this side, then sent, then done when its results have come back. */
export class RemotePart implements Part, Linked<RemotePart> {
  previous: RemotePart | null = null;
  next: RemotePart | null = null;
  nextPart: Part | null = null;
  /** The list in which it waits on this side. */
  list: LinkedList<RemotePart> | null = null;
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
  /** When it was sent, in milliseconds of performance.now(), if somebody measures that. */
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
  /** Buffers were moved with it: it can't be sent again. */
  moved = false;
  /** Takes one of the places on the wire. */
  counted = false;
  /** Values of portable contexts where the event was dispatched. */
  readonly context: Record<string, unknown> | null;
  readonly #host: PartHost;
  #runner: EventResult | null = null;
  #kept: BaseEvent[] | null = null;
  #descendants: Map<string, BaseEvent> | null = null;

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
      const source = { handlerId: `${id}.link`, handlerName: 'dispatch', busId: id, busName: name };
      this.#runner = new EventResult(this.lifecycle, source, this.event.event_timeout);
    }
    return this.#runner;
  }

  get place(): ErrorPlace {
    const { event_type, event_id } = this.event;
    return { busName: this.bus.name, handlerName: 'dispatch', eventType: event_type, eventId: event_id };
  }

  /** An event of this side that descends from the handlers at the other end, though not as their child. */
  keep(event: BaseEvent): void {
    (this.#kept ??= []).push(event);
  }

  /** A descendant, by id, that was dispatched to this side; asked for when all of them are known. */
  descendant(id: string): BaseEvent | undefined {
    this.#descendants ??= new Map(this.#came().map((event) => [event.event_id, event]));
    return this.#descendants.get(id);
  }

  /** The same, asked for rarely, and at any time. */
  lookFor(id: string): BaseEvent | undefined {
    return this.#came().find(({ event_id }) => event_id === id);
  }

  #came(): BaseEvent[] {
    const children = this.#runner === null ? [] : this.#runner.children.map(({ event }) => event as BaseEvent);
    return [...children, ...(this.#kept ?? [])];
  }

  /** It goes, or went, to the other end of that link, and there are no results yet. */
  isOpenOn(host: PartHost): boolean {
    return this.#host === host && this.state !== 'done';
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
    this.#descendants = null;
    if (this.onCalled === null) {
      this.results = results;
      this.#start(results);
    } else this.onCalled(results[0]);
    this.#host.settled?.(this, results, answered);
    this.lifecycle.onResults?.();
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
  fail(error: Error, startedAt: Moment = now()): void {
    if (this.state === 'done') return;
    resultRestored(this.runner, newId(), { status: 'error', value: null, error, startedAt, completedAt: now() });
    this.#settle([this.runner], false);
  }

  delivered(): void {
    // The place on the wire was given back when the results came.
  }

  completed(): void {
    this.#host.completed(this);
  }
}
