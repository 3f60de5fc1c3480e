import type { AsyncResource } from 'node:async_hooks';
import type { BaseEvent, EventBus, EventResult, HandlerContext, Subscription } from '@threadbus/core';
import {
  busEngine,
  type BusIdentity,
  forwardTo,
  type HandlerRun,
  lifecycleOf,
  type Part,
  type RemoteHandler,
  remoteHandler,
} from '@threadbus/core/internal';
import { encodeEvent } from './event-codec.ts';
import type { Outbox } from './outbox.ts';
import type { Outgoing } from './outgoing.ts';
import { captureContext } from './portable.ts';
import * as op from './protocol.ts';
import type { WireOutcome } from './protocol.ts';
import { callRemote } from './remote-call.ts';
import { Destination } from './remote-part.ts';

/** What the server needs of its link. */
export interface ServerLink {
  readonly outbox: Outbox;
  /** What became of an event, for the other side. */
  encode(event: BaseEvent, results: readonly EventResult[]): WireOutcome;
}

/** A field of the operation that is being read, of the type that the protocol gives it. */
export type Field = (index: number) => never;

/** How the other side's handler shows here. */
export interface RemoteSubscription {
  readonly name: string;
  readonly once: boolean;
  /** The bus to which it forwards; null for a function. */
  readonly forward: BusIdentity | null;
}

interface Expected {
  readonly end: AbortController;
  /** Offered events by the number of their offer, until the other side says which one it takes. */
  readonly offers: Map<number, BaseEvent>;
}

/** Does on this side what the other side asks for with `on`, `off` and `expect`. */
export class LinkServer {
  readonly #bus: EventBus;
  readonly #outgoing: Outgoing;
  readonly #link: ServerLink;
  readonly #subscriptions = new Map<number, Subscription>();
  readonly #expectations = new Map<number, Expected>();
  #offers = 0;

  constructor(bus: EventBus, outgoing: Outgoing, link: ServerLink) {
    this.#bus = bus;
    this.#outgoing = outgoing;
    this.#link = link;
  }

  read(kind: number, field: Field): void {
    switch (kind) {
      case op.SUBSCRIBE:
        this.#subscribe(field(0), field(1), field(2));
        break;
      case op.UNSUBSCRIBE:
        this.#subscriptions.get(field(0))?.();
        this.#subscriptions.delete(field(0));
        break;
      case op.EXPECT:
        this.#expect(field(0), field(1));
        break;
      case op.UNEXPECT:
        this.#unexpect(field(0), field(1));
        break;
      default:
      // A newer side may say more than this one knows: the handshake has settled that it can do without.
    }
  }

  close(): void {
    for (const unsubscribe of this.#subscriptions.values()) unsubscribe();
    for (const { end } of this.#expectations.values()) end.abort();
    this.#subscriptions.clear();
    this.#expectations.clear();
  }

  #subscribe(id: number, pattern: string, { name, once, forward }: RemoteSubscription): void {
    const subscription =
      forward === null
        ? this.#bus.on(pattern, this.#callHandler(id, name), { once })
        : this.#bus.on(pattern, forwardTo(this.#forwardTarget(id, forward), this.#bus.dispatch), { once });
    this.#subscriptions.set(id, subscription);
  }

  #forwardTarget(
    target: number,
    bus: BusIdentity,
  ): { id: string; name: string; accept(event: BaseEvent, context: AsyncResource): Part | null } {
    const to = new Destination(target, bus);
    return {
      ...bus,
      accept: (event, context) => {
        if (event.event_path.includes(bus.name)) return null;
        return this.#outgoing.add(event, to, context.runInAsyncScope(captureContext));
      },
    };
  }

  /** A handler that asks the other side's function. */
  #callHandler(target: number, name: string): (event: BaseEvent, context: HandlerContext) => Promise<unknown> {
    const call = (event: BaseEvent, context: HandlerContext): Promise<unknown> =>
      callRemote(this.#outgoing, target, event, context as HandlerRun);
    const kind: RemoteHandler = { name, holdsSlot: false, ownClock: false };
    return Object.assign(call, { [remoteHandler]: kind });
  }

  #expect(id: number, pattern: string): void {
    const offers = new Map<number, BaseEvent>();
    const end = new AbortController();
    this.#expectations.set(id, { end, offers });
    const offer = (event: BaseEvent): false => {
      this.#offers += 1;
      offers.set(this.#offers, event);
      this.#link.outbox.push(op.OFFER, id, this.#offers, encodeEvent(event));
      return false;
    };
    const ended = busEngine(this.#bus).expectations.add({
      pattern,
      matches: offer,
      timeout: null,
      signal: end.signal,
      onTimeout: () => new Error('no limit'),
    });
    // It only ever ends by being given up, here or because the bus stops.
    ended.catch(() => undefined);
  }

  /** Follows the event that was taken: its results are sent once it is complete. */
  #unexpect(id: number, taken: number): void {
    const expected = this.#expectations.get(id);
    this.#expectations.delete(id);
    expected?.end.abort();
    const event = expected?.offers.get(taken);
    if (event === undefined) return;
    const lifecycle = lifecycleOf(event);
    const settle = (): void => {
      const results = lifecycle.results as readonly EventResult[];
      this.#link.outbox.push(op.RESULTS, -taken, this.#link.encode(event, results));
    };
    if (lifecycle.settled) settle();
    else lifecycle.addWait({ runner: null, settle });
  }
}
