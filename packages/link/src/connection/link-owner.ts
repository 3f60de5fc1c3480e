import type { BusIdentity, EventConstructor, ForwardTarget, Lifecycle } from '@threadbus/core/internal';
import type { Arrival } from '../incoming/arrival.ts';
import type { Field } from '../incoming/link-server.ts';
import { decodeFailure } from '../wire/error-codec.ts';
import * as op from '../wire/protocol.ts';
import type { WireCall, WireEvent, WireOutcome } from '../wire/protocol.ts';

/** What a link tells its owner, and asks of it. */
export interface LinkOwner {
  /** Reads what is said to those who wait until the bus over there is idle. @returns false for anything else */
  readonly idle: { read(kind: number, field: Field): boolean };
  /** The other side has introduced itself. */
  hello(peer: BusIdentity): void;
  /** Where an event for one of this side's subscriptions goes. */
  subscriptionTarget(target: number, call: WireCall | null): ForwardTarget | undefined;
  /** An event for one of this side's expectations. */
  offered(expectation: number, offer: number, wire: WireEvent): void;
  /** An event for one of this side's expectations can't be cloned. */
  unoffered(expectation: number, error: Error): void;
  /** An event that was taken from an offer is complete. */
  followed(offer: number, outcome: WireOutcome): void;
  /** An event that was taken from an offer and isn't complete. */
  followedBy(offer: number): Lifecycle | undefined;
  arrived(arrival: Arrival): void;
  /** The class for events of a type, if this side has said so with `on`. */
  classOf(type: string): EventConstructor | undefined;
  pong(token: number): void;
  /** A handler in a pool thread awaits, or goes on. */
  suspended(suspended: boolean): void;
  /** The other side starts a handler of its own accord. */
  working(): void;
}

/** Passes on what the other side says. @returns whether that was for the owner */
export function tellOwner(owner: LinkOwner, kind: number, field: Field): boolean {
  switch (kind) {
    case op.OFFER:
      owner.offered(field(0), field(1), field(2));
      break;
    case op.UNOFFERED:
      owner.unoffered(field(0), decodeFailure(field(1)));
      break;
    case op.PONG:
      owner.pong(field(0));
      break;
    case op.SUSPENDED:
    case op.RESUMED:
      owner.suspended(kind === op.SUSPENDED);
      break;
    case op.WORKING:
      owner.working();
      break;
    default:
      return owner.idle.read(kind, field);
  }
  return true;
}
