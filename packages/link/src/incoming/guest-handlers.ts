import type { AsyncResource } from 'node:async_hooks';
import type { BaseEvent, EventBus, Forward, Subscription } from '@threadbus/core';
import {
  activeRun,
  type AnyHandler,
  busEngine,
  type BusIdentity,
  forwardTo,
  type Part,
  passed,
  type RemoteHandler,
  remoteHandler,
} from '@threadbus/core/internal';
import { LinkError } from '../wire/errors.ts';
import type { Outgoing } from '../outgoing/outgoing.ts';
import { malformed } from '../wire/malformed.ts';
import { captureContext } from '../wire/portable.ts';
import { callRemote } from '../outgoing/remote-call.ts';
import { Destination, type Target } from '../outgoing/remote-part.ts';

/** How a handler of the other side shows here. */
export interface GuestDescription {
  readonly name: string;
  readonly once: boolean;
  /** Seconds; null = no limit of its own. */
  readonly timeout?: number | null | undefined;
  /** The bus to which it forwards; null for a function. */
  readonly forward: BusIdentity | null;
  /** Another registration of the same function, by number: an event that matches both gets it once. */
  readonly same?: number | null | undefined;
}

/** The registrations of one function, and the one that stands for it here. */
interface Kin {
  readonly handler: AnyHandler;
  /** Those that are registered at present; if none is, the last one. */
  readonly guests: Guest[];
}

/** One of them; its number at the other end changes when the thread there is replaced. */
interface Guest extends Target {
  number: number;
  gone: Error | 'left' | null;
  readonly pattern: string;
  readonly description: GuestDescription;
  readonly subscription: Subscription;
  readonly kin: Kin;
  /** Of a forward. */
  to: Destination | null;
}

/**
 * What the other side has registered on a bus of this side.
 *
 * It outlives the link: while the thread over there is replaced, events for its handlers wait as those do that are
 * dispatched to it. What the replacement registers at its start takes the place of the same registration of before,
 * with its handler id; what it doesn't is gone then.
 */
export class GuestHandlers {
  readonly #bus: EventBus;
  readonly #outgoing: Outgoing;
  readonly #guests = new Map<number, Guest>();
  /** Of a thread that is gone. */
  #orphans: Guest[] = [];

  constructor(bus: EventBus, outgoing: Outgoing) {
    this.#bus = bus;
    this.#outgoing = outgoing;
  }

  add(number: number, pattern: string, description: GuestDescription): void {
    if (this.#guests.has(number)) malformed('a SUBSCRIBE');
    const kin = this.#guests.get(description.same ?? -1)?.kin ?? null;
    const heir = this.#orphans.findIndex(
      (orphan) => isSame(orphan, pattern, description) && (kin === null ? this.#isFirst(orphan) : orphan.kin === kin),
    );
    const [orphan] = heir < 0 ? [] : this.#orphans.splice(heir, 1);
    if (orphan !== undefined) {
      orphan.number = number;
      this.#guests.set(number, orphan);
      return;
    }
    this.#guests.set(number, this.#register(number, pattern, description, kin ?? this.#newKin(description)));
  }

  remove(number: number): void {
    const guest = this.#guests.get(number);
    this.#guests.delete(number);
    if (guest !== undefined) this.#end(guest, 'left');
  }

  /** The thread over there is gone, and may be replaced. */
  orphan(): void {
    for (const guest of this.#guests.values()) {
      // Whether it has run is known only here: the replacement's is another one.
      if (guest.description.once) this.#end(guest, this.#replacedError(guest));
      else this.#orphans.push(guest);
    }
    this.#guests.clear();
  }

  /** The replacement has registered what it registers at its start. */
  dropOrphans(): void {
    const orphans = this.#orphans;
    this.#orphans = [];
    for (const orphan of orphans) this.#end(orphan, this.#replacedError(orphan));
  }

  /** The link is down for good. */
  removeAll(error: Error): void {
    const guests = [...this.#guests.values(), ...this.#orphans];
    this.#guests.clear();
    this.#orphans = [];
    for (const guest of guests) this.#end(guest, error);
  }

  #register(number: number, pattern: string, description: GuestDescription, kin: Kin): Guest {
    const { once, timeout, forward } = description;
    const options = forward === null ? { once, timeout } : { once };
    const subscription = this.#bus.on(pattern, kin.handler, options);
    const guest = { number, gone: null, pattern, description, subscription, kin, to: null };
    kin.guests.push(guest);
    return guest;
  }

  #newKin({ name, forward }: GuestDescription): Kin {
    const guests: Guest[] = [];
    const handler = forward === null ? this.#callHandler(guests, name) : this.#forward(guests, forward);
    return { handler, guests };
  }

  /** None of the registrations of its function is there again yet. */
  #isFirst({ kin }: Guest): boolean {
    return !kin.guests.some((guest) => this.#guests.get(guest.number) === guest);
  }

  /**
   * Its number may be another's from now on. An event for which it was matched before, and that has yet to come to it,
   * finds that it is gone. That somebody doesn't want events any more fails none.
   */
  #end(guest: Guest, gone: Error | 'left'): void {
    guest.gone = gone;
    guest.subscription();
    const { guests } = guest.kin;
    if (guests.length > 1) guests.splice(guests.indexOf(guest), 1);
    this.#outgoing.endFor(guest, gone);
  }

  #replacedError(guest: Guest): LinkError {
    return new LinkError(
      `The thread of ${this.#outgoing.bus.name} was replaced, and its replacement has not registered ${this.#text(guest)} again. Register what must go on before exposeBus().`,
    );
  }

  #text({ pattern, description }: Guest): string {
    return `'${description.name}' for '${pattern}' on ${this.#bus.name}`;
  }

  /** A function of its own: the bus's own dispatch leads to the bus. */
  #forward(guests: readonly Guest[], bus: BusIdentity): Forward {
    return forwardTo(this.#forwardTarget(guests, bus), (event, options) => this.#bus.dispatch(event, options));
  }

  #forwardTarget(
    guests: readonly Guest[],
    bus: BusIdentity,
  ): { id: string; name: string; accept(event: BaseEvent, context: AsyncResource): Part | null } {
    return {
      ...bus,
      accept: (event, context) => {
        if (passed(event, bus)) return null;
        const guest = meant(guests, null);
        if (guest.gone === 'left') return null;
        guest.to ??= new Destination(guest, bus);
        return this.#outgoing.add(event, guest.to, context.runInAsyncScope(captureContext, undefined, event));
      },
    };
  }

  /** A handler that asks the other side's function. */
  #callHandler(guests: readonly Guest[], name: string): (event?: unknown) => Promise<unknown> {
    const call = (event?: unknown): Promise<unknown> => {
      const run = activeRun(event);
      const guest = meant(guests, run.entry.pattern);
      if (guest.gone === 'left') return Promise.resolve();
      return callRemote(this.#outgoing, guest, run, busEngine(this.#bus).maxRecursionDepth);
    };
    const kind: RemoteHandler = { name, holdsSlot: false, ownClock: false };
    return Object.assign(call, { [remoteHandler]: kind });
  }
}

/** The registration for which the function is called. An event may have been matched before it was taken off. */
function meant(guests: readonly Guest[], pattern: string | null): Guest {
  return guests.find((guest) => guest.pattern === pattern) ?? (guests[0] as Guest);
}

function isSame(orphan: Guest, pattern: string, { name, once, forward }: GuestDescription): boolean {
  const { description } = orphan;
  return orphan.pattern === pattern && description.name === name && !once && description.forward?.id === forward?.id;
}
