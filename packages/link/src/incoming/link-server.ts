import { busEngine } from '@threadbus/core/internal';
import type { EventBus } from '@threadbus/core';
import * as op from '../wire/protocol.ts';
import type { GuestHandlers } from './guest-handlers.ts';
import { IdleEdge } from './idle-edge.ts';
import { type ExpectationsLink, ServedExpectations } from './served-expectations.ts';

/** A field of the operation that is being read, of the type that the protocol gives it. */
export type Field = (index: number) => never;

/** Does on this side what the other side asks for with `on`, `off`, `expect` and `waitUntilIdle`. */
export class LinkServer {
  readonly #bus: EventBus;
  readonly #guests: GuestHandlers;
  readonly #link: ExpectationsLink;
  readonly #expectations: ServedExpectations;

  constructor(bus: EventBus, guests: GuestHandlers, link: ExpectationsLink) {
    this.#bus = bus;
    this.#guests = guests;
    this.#link = link;
    this.#expectations = new ServedExpectations(bus, link);
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
        this.#expectations.add(field(0), field(1), field(2), field(3));
        break;
      case op.UNEXPECT:
        this.#expectations.remove(field(0), field(1));
        break;
      case op.TAKE:
        this.#expectations.take(field(0), field(1));
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
    this.#expectations.close();
  }

  /** A handler over there awaits an event: if the number is negative, that of an offer. */
  promote(number: number): void {
    this.#expectations.promote(-number);
  }

  /** What is under way now is awaited; whether that was all, the other side asks again. */
  #awaitIdle(id: number): void {
    const { history } = busEngine(this.#bus);
    new IdleEdge(id, this.#link.outbox, () => history.openSize === 0).waitForAll(history.open());
  }
}
