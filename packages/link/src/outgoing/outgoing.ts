import type { BaseEvent, EventResult, RunningBus, Transferable } from '@threadbus/core';
import {
  BusCapacityError,
  type BusIdentity,
  cancelledError,
  Capacity,
  extrasOf,
  type Lifecycle,
  never,
  pathOf,
  reportFailures,
  type SafeLogger,
  setPath,
  takeTransfer,
} from '@threadbus/core/internal';
import { CancelCauses } from './cancel-causes.ts';
import type { Crossings } from './crossings.ts';
import { isExempt } from './exempt.ts';
import type { FlowLimits } from '../wire/flow-limits.ts';
import { NumberTable } from '../wire/number-table.ts';
import { type Destination, type HasRun, type PartHost, RemotePart, type Target } from './remote-part.ts';
import { WaitingParts } from './waiting-parts.ts';
import type { PartMeter, StartedBoard } from './part-watchers.ts';

/** The way out: a link that is up. */
export interface Wire {
  sendEvent(part: RemotePart, transfer: readonly Transferable[]): void;
  sendPromote(part: RemotePart): void;
  sendCancel(part: RemotePart, cause: unknown): void;
}

/**
 * The events that went, or wait to go, to the other end of a link; it outlives the link when the thread is replaced.
 *
 * At most `maxInFlight` are on the wire, the rest waits here in order. A place must depend on nothing that needs a
 * place, on this link or any other, or places that wait for each other could block all sides for ever. So one is needed
 * only by an event that enters the system here and crosses for the first time: exempt is what a handler awaits, came
 * over some link, is under way over another, or has such an ancestor. All that a place is held for is of these kinds.
 */
export class Outgoing implements PartHost {
  readonly capacity: Capacity;
  readonly crossings: Crossings;
  readonly causes: CancelCauses = new CancelCauses();
  /** At the other end. */
  readonly bus: Readonly<BusIdentity>;
  /** Where the other side shows what it has started, if it can. */
  board: StartedBoard | null = null;
  meter: PartMeter | null = null;
  /** Gets what handlers at the other end have thrown, if nobody on this side has. */
  logger: SafeLogger | null = null;
  /** About how many bytes an event keeps, where somebody wants to know what waits here. */
  weigh: ((event: BaseEvent) => number) | null = null;
  readonly #limits: FlowLimits;
  readonly #onBusy: (busy: boolean) => void;
  readonly #sent = new NumberTable<RemotePart>();
  /** Exempt ones, while there is no link. */
  readonly #urgent = new WaitingParts();
  readonly #waiting = new WaitingParts();
  remote: RunningBus | null = null;
  #countedOnWire = 0;
  #order = 0;
  #wire: Wire | null = null;
  /** Ended on this side alone: their numbers, and their places, are taken until the other side has answered. */
  #abandoned = 0;
  /** How often whoever waits for answers has looked: the time at which a part is sent. */
  looks = 0;
  /** Why the link is down for good. */
  #failure: Error | null = null;

  /** @param onBusy told when the first event is under way, and when none is any more */
  constructor(bus: Readonly<BusIdentity>, limits: FlowLimits, crossings: Crossings, onBusy: (busy: boolean) => void) {
    this.crossings = crossings;
    this.bus = bus;
    this.#limits = limits;
    this.#onBusy = onBusy;
    this.capacity = new Capacity(limits.maxInFlight);
  }

  /** Parts under way: sent, or waiting to be. */
  get size(): number {
    return this.#sent.size - this.#abandoned + this.#urgent.size + this.#waiting.size;
  }

  get sent(): number {
    return this.#sent.size;
  }

  /** Parts that wait on this side. */
  get waiting(): number {
    return this.#urgent.size + this.#waiting.size;
  }

  /** About what the parts keep that wait on this side, if they are weighed. */
  get waitingBytes(): number {
    return this.#urgent.bytes + this.#waiting.bytes;
  }

  /** Events that hold places, the oldest first. */
  get placeHolders(): Lifecycle[] {
    const sent = [...this.#sent].sort((a, b) => a.order - b.order);
    return [...sent, ...this.#waiting].flatMap(({ counted, lifecycle }) => (counted ? [lifecycle] : []));
  }

  /** A handler waits for all of it: nothing is to wait for a place. */
  hurry(): void {
    for (const part of [...this.#waiting]) this.promote(part);
  }

  /** @throws BusCapacityError if too many wait on this side already */
  checkCapacity(event: BaseEvent): void {
    if (this.#waiting.size < this.#limits.maxPending) return;
    const { name } = this.bus;
    throw new BusCapacityError(
      `EventBus at capacity: ${name} has ${this.#sent.size} events on the wire and ${this.#waiting.size} waiting on this side (${this.#limits.maxPending} max), and refuses ${event.event_type}. Wait with 'await bus.waitForCapacity()' before you dispatch, or raise maxPending.`,
      { busName: name, eventType: event.event_type, eventId: event.event_id },
      { pending: this.size, limit: this.#limits.maxPending },
    );
  }

  /**
   * Takes an event over: its part at the other end is open from now on.
   *
   * @param onCalled gets the function's result, if it is for one; maybe at once, for an event that can't be sent
   * @throws why the link, or what the event is for at the other end, takes nothing any more
   */
  add(
    event: BaseEvent,
    to: Destination,
    context: Record<string, unknown> | null,
    onCalled: RemotePart['onCalled'] = null,
  ): RemotePart {
    const gone = this.#failure ?? to.target.gone ?? null;
    if (gone !== null) throw gone === 'left' ? new Error('It was taken off.') : gone;
    const part = new RemotePart(event, to, this.bus, this, context);
    part.onCalled = onCalled;
    part.lifecycle.attach(part);
    const path = pathOf(event);
    if (to.bus !== null) setPath(event, path.length === 0 ? to.path : [...path, to.bus]);
    this.crossings.add(event);
    extrasOf(part.lifecycle).crossed ??= this.crossings.key;
    if (this.size === 0) this.#onBusy(true);
    if (isExempt(part)) this.#enqueue(part, this.#urgent);
    else {
      part.counted = true;
      this.capacity.use();
      this.capacity.enter();
      this.#enqueue(part, this.#waiting);
    }
    const aborted = part.lifecycle.extras.cancellation?.aborted ?? null;
    if (aborted !== null) part.cancel(aborted.reason);
    this.#send();
    // Most are on the wire by now: only what stays is weighed.
    if (this.weigh !== null && part.state === 'waiting' && part.list !== null) {
      (part.counted ? this.#waiting : this.#urgent).weigh(part, this.weigh(event));
    }
    return part;
  }

  /** A link is up: what waits goes out. */
  connect(wire: Wire): void {
    this.#wire = wire;
    this.#send();
  }

  /** The link is down. @returns what was sent and has no results, in order, to be settled or sent again by the caller */
  disconnect(): RemotePart[] {
    this.#wire = null;
    const parts = this.onTheWire();
    for (const part of this.#sent) if (part.abandoned) this.#exempt(part);
    this.#sent.clear();
    this.#abandoned = 0;
    this.causes.clear();
    this.#countedOnWire = 0;
    return parts;
  }

  /**
   * Puts parts in front of those that wait, as if they had never been sent: awaited ones first, else in order.
   *
   * @param unread something that was sent could not be read: each of them may be that @default false
   */
  resend(parts: readonly RemotePart[], unread = false): void {
    for (const part of [...parts].reverse()) {
      part.state = 'waiting';
      part.suspect ||= unread;
      if (part.lifecycle.awaited) this.#exempt(part);
      part.list = part.counted ? this.#waiting : this.#urgent;
      part.list.insertAfter(null, part);
    }
    this.#send();
  }

  /** The part with that number, as long as it has no results. */
  sentAs(number: number): RemotePart | undefined {
    return this.#sent.get(number);
  }

  /** The part with that number, now that its results have come. */
  take(number: number): RemotePart | undefined {
    const part = this.#sent.take(number);
    if (part === undefined) return undefined;
    part.number = -1;
    this.causes.remove(part);
    if (part.abandoned) this.#abandoned -= 1;
    if (part.counted) this.#countedOnWire -= 1;
    return part;
  }

  /** Those that were sent and that somebody waits for, the oldest first. */
  onTheWire(): RemotePart[] {
    return [...this.#sent].filter(({ abandoned }) => !abandoned).sort((a, b) => a.order - b.order);
  }

  /** Ends a part that was sent, though the other side has not answered for it: it is asked to end it, too. */
  abandon(part: RemotePart, error: Error): void {
    part.abandoned = true;
    this.#abandoned += 1;
    this.cancel(part, error);
    part.fail(error);
    if (this.size === 0) this.#onBusy(false);
  }

  /** The event with that number was sent and then cancelled. */
  isCancelled(number: number): boolean {
    return (this.sentAs(number)?.cancelCause ?? null) !== null;
  }

  /** A part that is in none of the lists any more is about to be settled by the caller: its place is free. */
  close(part: RemotePart): void {
    this.#exempt(part);
    if (this.size === 0) this.#onBusy(false);
    else this.#send();
  }

  /** Ends what waits for something at the other end that is gone. */
  endFor(target: Target, gone: Error | 'left'): void {
    for (const part of this.takeWaiting((each) => each.to.target === target)) this.#endGone(part, gone);
  }

  /** Takes what waits on this side out of the lists, to be ended by the caller. */
  takeWaiting(isMeant: (part: RemotePart) => boolean = () => true): RemotePart[] {
    const parts = [...this.#urgent, ...this.#waiting].filter(isMeant);
    for (const part of parts) {
      part.list?.remove(part);
      part.list = null;
    }
    return parts;
  }

  /** Ends all that is under way, and takes nothing any more. @param sent what `disconnect` has given */
  failAll(error: Error, sent: readonly RemotePart[]): void {
    this.#failure = error;
    // First: the places that become free now are nobody's any more.
    this.capacity.refuseAll(error);
    for (const part of [...sent, ...this.takeWaiting()]) this.fail(part, error);
  }

  /** Ends a part that is in none of the lists any more. */
  fail(part: RemotePart, error: Error, run?: HasRun): void {
    if (part.state === 'sent') this.crossings.markLost(part.lifecycle);
    this.close(part);
    part.fail(error, run);
  }

  promote(part: RemotePart): void {
    if (part.state === 'sent') {
      this.#wire?.sendPromote(part);
    } else if (part.list === this.#waiting) {
      this.#waiting.remove(part);
      this.#enqueue(part, this.#urgent);
      this.#exempt(part);
      this.#send();
    }
  }

  cancel(part: RemotePart, cause: unknown): void {
    if (part.state === 'sent') {
      part.cancelCause = { reason: cause };
      this.causes.add(part);
      this.#wire?.sendCancel(part, cause);
    } else if (part.list !== null) {
      part.list.remove(part);
      part.list = null;
      this.close(part);
      part.fail(cancelledError(part.place, cause), { startedAt: never });
    }
  }

  settled(part: RemotePart, results: readonly EventResult[], answered: boolean): void {
    this.meter?.settled(part, results, answered);
  }

  completed(part: RemotePart, got: boolean): void {
    this.crossings.remove(part.event);
    if (part.answered && !got && this.logger !== null) reportFailures(this.logger, part.event, part.results, got);
  }

  /** What it is for at the other end is gone. */
  #endGone(part: RemotePart, gone: Error | 'left'): void {
    if (gone !== 'left') return this.fail(part, gone);
    this.close(part);
    return part.settle([]);
  }

  /** It takes none of the places any more. */
  #exempt(part: RemotePart): void {
    if (!part.counted) return;
    part.counted = false;
    this.capacity.leave();
  }

  #enqueue(part: RemotePart, list: WaitingParts): void {
    part.list = list;
    list.push(part);
  }

  /** Sends what may go now. */
  #send(): void {
    const wire = this.#wire;
    if (wire === null) return;
    for (let part = this.#urgent.shift(); part !== null; part = this.#urgent.shift()) this.#sendPart(wire, part);
    while (this.#countedOnWire < this.#limits.maxInFlight) {
      const part = this.#waiting.shift();
      if (part === null) return;
      this.#countedOnWire += 1;
      this.#sendPart(wire, part);
    }
  }

  #sendPart(wire: Wire, part: RemotePart): void {
    const { gone = null } = part.to.target;
    if (gone !== null) {
      part.list = null;
      if (part.counted) this.#countedOnWire -= 1;
      this.#endGone(part, gone);
      return;
    }
    this.#order += 1;
    part.order = this.#order;
    part.state = 'sent';
    part.sentLook = this.looks;
    part.list = null;
    part.number = this.#sent.add(part);
    this.board?.clear(part.number);
    this.meter?.sent(part);
    const transfer = takeTransfer(part.event);
    part.moved = transfer.length > 0;
    wire.sendEvent(part, transfer);
  }
}
