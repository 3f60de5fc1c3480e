import type { BaseEvent } from '@threadbus/core';
import { type Lifecycle, lifecycleOf, listOf, type Part, type Runner } from '@threadbus/core/internal';
import { FarEdge } from './far-edge.ts';

/** The link over which an arrival came. */
export interface ArrivalHost {
  /** Nothing goes to the other end any more. */
  readonly closed: boolean;
  /** As what the other end introduces itself. */
  readonly otherEnd: string;
  /** Asks the other side whether the await with that token waits for what needs the answer of that number. */
  probe(number: number, token: string): void;
}

/** Told when the event that an arrival brought is complete. */
export interface ArrivalOwner {
  ended(arrival: Arrival): void;
}

/** An event that came over a link and is being handled here. */
export class Arrival extends FarEdge {
  readonly host: ArrivalHost;
  readonly number: number;
  readonly event: BaseEvent;
  readonly lifecycle: Lifecycle;
  /**
   * The event came into this thread with this arrival, or so far only for functions: then all of it is answered for. Else
   * it was here before, and its new part is.
   */
  brought: boolean;
  /** It came for a function of this side, not for a bus. */
  readonly isCall: boolean;
  /** As in EVENT. */
  readonly ancestors: readonly string[] | null;
  readonly #owner: ArrivalOwner;
  /** The event's part for which it came: what is answered for, if the event was here before. */
  part: Part | null = null;
  /** How many steps of the event's path the other side knows. */
  steps = 0;
  /** Where the thread's board shows the event; -1 = nowhere. */
  slot = -1;
  /** Handlers of the event that are running, for the board. */
  running = 0;

  constructor(
    owner: ArrivalOwner,
    host: ArrivalHost,
    number: number,
    event: BaseEvent,
    brought: boolean,
    isCall: boolean,
    ancestors: readonly string[] | null,
  ) {
    super();
    this.#owner = owner;
    this.host = host;
    this.number = number;
    this.event = event;
    this.lifecycle = lifecycleOf(event);
    this.brought = brought;
    this.isCall = isCall;
    this.ancestors = ancestors;
  }

  /** The handlers' errors go to the other end with the results, and are reported there if nobody asks for them. */
  get getsErrors(): boolean {
    return this.brought && !this.isCall && !this.host.closed;
  }

  /** An event that was here before doesn't wait for the arrival of a part of it. */
  get silent(): boolean {
    return !this.brought;
  }

  /** It is of a part of the event, and the handler belongs to that. */
  answersFor(runner: Runner): boolean {
    return this.part !== null && listOf(this.part.runners).includes(runner);
  }

  protected probe(token: string): void {
    this.host.probe(this.number, token);
  }

  /** The event is complete: what brought it waits for that as nobody's await. */
  settle(): void {
    if (this.brought) this.#owner.ended(this);
  }
}

/** Whether the event came over that link. */
export function cameOver(lifecycle: Lifecycle, host: ArrivalHost): boolean {
  return (lifecycle.extras.cameOver as Arrival | null)?.host === host;
}
