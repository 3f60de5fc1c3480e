import type { BaseEvent, EventBus, EventResult } from '@threadbus/core';
import {
  busEngine,
  type BusEngine,
  createdAtOf,
  elapsedSince,
  type Lifecycle,
  lifecycleOf,
  matchesType,
} from '@threadbus/core/internal';
import type { DispatchTimes } from '../outgoing/dispatch-times.ts';
import type { Outbox } from '../outgoing/outbox.ts';
import { unoffered } from '../wire/clone-failure.ts';
import { encodeThrown } from '../wire/error-codec.ts';
import { encodeEvent } from '../wire/event-codec.ts';
import { malformed } from '../wire/malformed.ts';
import { isNestedDeeper } from '../wire/nesting.ts';
import type { Peer } from '../wire/peer.ts';
import * as op from '../wire/protocol.ts';
import type { WireOutcome } from '../wire/protocol.ts';
import { sharedNow } from '../wire/shared-clock.ts';
import { FollowedEdge } from './followed-edge.ts';

/** What expectations need of their link. */
export interface ExpectationsLink {
  readonly outbox: Outbox;
  readonly peer: Peer;
  /** When the bus took its events. */
  readonly times: DispatchTimes;
  /** What became of an event, for the other side. */
  encode(event: BaseEvent, results: readonly EventResult[]): WireOutcome;
  /** Asks the other side whether the await with that token waits for what needs the answer of that number. */
  probe(number: number, token: string): void;
  /** Whether the event came over it. */
  brought(lifecycle: Lifecycle): boolean;
}

interface Expected {
  readonly end: AbortController;
  /** Offered events by the number of their offer, until the other side has said which it takes, or that it takes none. */
  readonly offers: Map<number, BaseEvent>;
}

/**
 * Those of the other side who wait for an event to be dispatched to the bus of this side.
 *
 * Each event of the type is offered, and the other side says which one it takes: that is followed until it is complete.
 * Who began to wait before an event was dispatched is heard of later, perhaps when that is complete: when each was
 * dispatched is known, and what came meanwhile is offered, too, as far as the bus still holds it.
 */
export class ServedExpectations {
  readonly #bus: EventBus;
  readonly #link: ExpectationsLink;
  readonly #expected = new Map<number, Expected>();
  /** Events that the other side has taken and waits for, by the number of their offer. */
  readonly #followed = new Map<number, Lifecycle>();
  /** Events that the other side knew before it asked for more. */
  readonly #taken = new WeakSet<BaseEvent>();
  #offers = 0;

  constructor(bus: EventBus, link: ExpectationsLink) {
    this.#bus = bus;
    this.#link = link;
  }

  get #engine(): BusEngine {
    return busEngine(this.#bus);
  }

  close(): void {
    const expected = [...this.#expected];
    this.#expected.clear();
    const { stopped } = this.#engine;
    for (const [id, { end }] of expected) {
      if (stopped) this.#refuse(id, this.#engine.stoppedError());
      end.abort();
    }
  }

  /** A handler over there awaits an event that was taken from the offer with that number. */
  promote(offer: number): void {
    this.#followed.get(offer)?.cover();
  }

  /** @param since when the other side began to wait, by its epoch; `sharedSince`: by the clock that nobody sets */
  add(id: number, pattern: string, since: number, sharedSince: number): void {
    if (this.#expected.has(id)) malformed('an EXPECT');
    const offers = new Map<number, BaseEvent>();
    const end = new AbortController();
    this.#expected.set(id, { end, offers });
    const offer = (event: BaseEvent): false => {
      this.#offer(id, offers, event);
      return false;
    };
    const engine = this.#engine;
    const ended = engine.stopped
      ? Promise.reject(engine.stoppedError())
      : engine.expectations.add({
          pattern,
          matches: offer,
          timeout: null,
          signal: end.signal,
          onTimeout: () => new Error('no limit'),
        });
    // It only ever ends by being given up, or because the bus stops: that the other side has to be told.
    ended.catch((error: unknown) => {
      if (this.#expected.delete(id)) this.#refuse(id, error);
    });
    for (const event of this.#dispatchedSince(sharedSince, since)) {
      if (matchesType(pattern, event.event_type) && this.#isNew(event)) offer(event);
    }
  }

  remove(id: number, taken: number): void {
    this.take(id, taken);
    const expected = this.#expected.get(id);
    this.#expected.delete(id);
    expected?.end.abort();
  }

  /** Follows the event that was taken: its results are sent once it is complete. @param taken as in TAKE */
  take(id: number, taken: number): void {
    const offers = this.#expected.get(id)?.offers;
    if (taken < 0) {
      for (const offer of offers?.keys() ?? []) if (offer <= -taken) offers?.delete(offer);
      return;
    }
    const event = offers?.get(taken);
    if (event === undefined) return;
    offers?.delete(taken);
    this.#taken.add(event);
    const lifecycle = lifecycleOf(event);
    const settle = (): void => {
      this.#followed.delete(taken);
      const results = lifecycle.results as readonly EventResult[];
      this.#link.outbox.push(op.RESULTS, -taken, this.#link.encode(event, results));
    };
    if (lifecycle.settled) settle();
    else {
      this.#followed.set(taken, lifecycle);
      new FollowedEdge((token) => this.#link.probe(-taken, token), settle).from(lifecycle);
    }
  }

  #offer(id: number, offers: Map<number, BaseEvent>, event: BaseEvent): void {
    this.#offers += 1;
    offers.set(this.#offers, event);
    const wire = encodeEvent(event);
    const { outbox } = this.#link;
    if (isNestedDeeper(wire[7])) outbox.push(...unoffered(id, wire, 'the other side', new Error('nested too deep')));
    else outbox.push(op.OFFER, id, this.#offers, wire);
  }

  #refuse(id: number, error: unknown): void {
    this.#link.outbox.push(op.UNOFFERED, id, encodeThrown(error));
  }

  /** In the order in which they came to the bus. */
  #dispatchedSince(sharedSince: number, since: number): BaseEvent[] {
    const { times, peer } = this.#link;
    const time = peer.sharedTime(sharedSince, since);
    const first = times.firstSince(time);
    const { history } = this.#engine;
    const open = history
      .open()
      .filter(({ event, arrival }) => arrival >= first || this.#madeSince(event, arrival, time));
    return [...open, ...history.completedFrom(first)].sort((a, b) => a.arrival - b.arrival).map(({ event }) => event);
  }

  /** When it was dispatched isn't known any more: but that was not before it was made. */
  #madeSince(event: BaseEvent, arrival: number, time: number): boolean {
    if (this.#link.times.knows(arrival)) return false;
    // Looked at in this order: what passes between the two is no time by which the event seems too old.
    const age = elapsedSince(createdAtOf(event));
    return age <= Math.ceil(sharedNow() - time);
  }

  /** The other side does not know of it; what came over the link itself keeps its order anyway. */
  #isNew(event: BaseEvent): boolean {
    return !this.#link.brought(lifecycleOf(event)) && !this.#taken.has(event);
  }
}
