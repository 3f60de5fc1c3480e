import type { BaseEvent, EventBus, EventResult } from '@threadbus/core';
import {
  busEngine,
  createdAtOf,
  elapsedSince,
  type Lifecycle,
  letPass,
  lifecycleOf,
  matchesType,
  PassedProbes,
} from '@threadbus/core/internal';
import { unoffered } from '../wire/clone-failure.ts';
import { encodeThrown } from '../wire/error-codec.ts';
import { encodeEvent } from '../wire/event-codec.ts';
import { malformed } from '../wire/malformed.ts';
import { isNestedDeeper } from '../wire/nesting.ts';
import type { Peer } from '../wire/peer.ts';
import type { GuestHandlers } from './guest-handlers.ts';
import type { Outbox } from '../outgoing/outbox.ts';
import * as op from '../wire/protocol.ts';
import type { WireOutcome } from '../wire/protocol.ts';

/** What the server needs of its link. */
export interface ServerLink {
  readonly outbox: Outbox;
  /** What became of an event, for the other side. */
  encode(event: BaseEvent, results: readonly EventResult[]): WireOutcome;
  /** Asks the other side whether the await with that token waits for what needs the event of that number. */
  probe(number: number, token: string): void;
  /** Whether the event came over it. */
  brought(lifecycle: Lifecycle): boolean;
  readonly peer: Peer;
}

/** A field of the operation that is being read, of the type that the protocol gives it. */
export type Field = (index: number) => never;

interface Expected {
  readonly end: AbortController;
  /** Offered events by the number of their offer, until the other side says which one it takes. */
  readonly offers: Map<number, BaseEvent>;
}

/** Does on this side what the other side asks for with `on`, `off` and `expect`. */
export class LinkServer {
  readonly #bus: EventBus;
  readonly #guests: GuestHandlers;
  readonly #link: ServerLink;
  readonly #expectations = new Map<number, Expected>();
  /** Events that the other side has taken and waits for, by the number of their offer. */
  readonly #followed = new Map<number, Lifecycle>();
  /** Events that the other side knew before it asked for more. */
  readonly #taken = new WeakSet<BaseEvent>();
  #offers = 0;

  constructor(bus: EventBus, guests: GuestHandlers, link: ServerLink) {
    this.#bus = bus;
    this.#guests = guests;
    this.#link = link;
  }

  /** @returns whether that is something to ask a bus */
  read(kind: number, field: Field): boolean {
    switch (kind) {
      case op.SUBSCRIBE:
        this.#guests.add(field(0), field(1), field(2));
        break;
      case op.UNSUBSCRIBE:
        this.#guests.remove(field(0));
        break;
      case op.EXPECT:
        this.#expect(field(0), field(1), field(2), field(3));
        break;
      case op.UNEXPECT:
        this.#unexpect(field(0), field(1));
        break;
      case op.TAKE:
        this.#take(field(0), field(1));
        break;
      case op.AWAIT_IDLE:
        this.#awaitIdle(field(0));
        break;
      default:
        return false;
    }
    return true;
  }

  close(): void {
    const expectations = [...this.#expectations];
    this.#expectations.clear();
    const { stopped } = busEngine(this.#bus);
    for (const [id, { end }] of expectations) {
      if (stopped) this.#refuse(id, busEngine(this.#bus).stoppedError());
      end.abort();
    }
  }

  /** A handler over there awaits an event: if the number is negative, that of an offer. */
  promote(number: number): void {
    this.#followed.get(-number)?.cover();
  }

  /** @param since when the other side began to wait, by its epoch; `sharedSince`: by the clock that nobody sets */
  #expect(id: number, pattern: string, since: number, sharedSince: number): void {
    if (this.#expectations.has(id)) malformed('an EXPECT');
    const offers = new Map<number, BaseEvent>();
    const end = new AbortController();
    this.#expectations.set(id, { end, offers });
    const offer = (event: BaseEvent): false => {
      this.#offers += 1;
      offers.set(this.#offers, event);
      const wire = encodeEvent(event);
      const { outbox } = this.#link;
      if (isNestedDeeper(wire[7])) outbox.push(...unoffered(id, wire, 'the other side', new Error('nested too deep')));
      else outbox.push(op.OFFER, id, this.#offers, wire);
      return false;
    };
    const engine = busEngine(this.#bus);
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
      if (this.#expectations.delete(id)) this.#refuse(id, error);
    });
    for (const { event } of engine.history.open()) {
      if (!matchesType(pattern, event.event_type)) continue;
      // Looked at in this order: what passes between the two is no time by which the event seems too old.
      const age = elapsedSince(createdAtOf(event));
      if (age <= Math.ceil(this.#link.peer.age(sharedSince, since)) && this.#isNew(event)) offer(event);
    }
  }

  #refuse(id: number, error: unknown): void {
    this.#link.outbox.push(op.UNOFFERED, id, encodeThrown(error));
  }

  /** What is under way now is awaited; whether that was all, the other side asks again. */
  #awaitIdle(id: number): void {
    const { history } = busEngine(this.#bus);
    const { outbox } = this.#link;
    const probes = new PassedProbes();
    const chase = (token: string): void => {
      if (probes.first(token)) outbox.push(op.PROBE_IDLE, id, token);
    };
    const far = { chase };
    let open = 1;
    const settle = (): void => {
      open -= 1;
      if (open === 0) outbox.push(op.IDLE, id, history.openSize === 0);
    };
    for (const { lifecycle } of history.open()) {
      open += 1;
      lifecycle.addWait({ runner: null, far, silent: true, settle });
      letPass(lifecycle, far);
      lifecycle.cover();
    }
    settle();
  }

  /** The other side does not know of it; what came over the link itself keeps its order anyway. */
  #isNew(event: BaseEvent): boolean {
    return !this.#link.brought(lifecycleOf(event)) && !this.#taken.has(event);
  }

  #unexpect(id: number, taken: number): void {
    this.#take(id, taken);
    const expected = this.#expectations.get(id);
    this.#expectations.delete(id);
    expected?.end.abort();
  }

  /** Follows the event that was taken: its results are sent once it is complete. */
  #take(id: number, taken: number): void {
    const offers = this.#expectations.get(id)?.offers;
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
      const probes = new PassedProbes();
      const chase = (token: string): void => {
        if (probes.first(token)) this.#link.probe(-taken, token);
      };
      const far = { chase };
      lifecycle.addWait({ runner: null, far, settle });
      letPass(lifecycle, far);
    }
  }
}
