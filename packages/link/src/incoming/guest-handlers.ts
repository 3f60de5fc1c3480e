import type { AsyncResource } from 'node:async_hooks';
import type { BaseEvent, EventBus, Forward, Subscription } from '@threadbus/core';
import {
  activeRun,
  type BusIdentity,
  forwardTo,
  type Part,
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
}

/** One of them; its number at the other end changes when the thread there is replaced. */
interface Guest extends Target {
  number: number;
  gone: Error | null;
  readonly pattern: string;
  readonly description: GuestDescription;
  readonly subscription: Subscription;
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
    const heir = this.#orphans.findIndex((orphan) => isSame(orphan, pattern, description));
    const [orphan] = heir < 0 ? [] : this.#orphans.splice(heir, 1);
    if (orphan !== undefined) {
      orphan.number = number;
      this.#guests.set(number, orphan);
      return;
    }
    const target: Pick<Guest, 'number' | 'gone'> = { number, gone: null };
    const { name, once, timeout, forward } = description;
    const subscription =
      forward === null
        ? this.#bus.on(pattern, this.#callHandler(target, name), { once, timeout })
        : this.#bus.on(pattern, this.#forward(target, forward), { once });
    this.#guests.set(number, Object.assign(target, { pattern, description, subscription }));
  }

  remove(number: number): void {
    const guest = this.#guests.get(number);
    this.#guests.delete(number);
    if (guest !== undefined) this.#end(guest, new LinkError(`${this.#text(guest)} was taken off.`));
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

  /**
   * Its number may be another's from now on. An event for which it was matched before, and that has yet to come to it,
   * finds that it is gone.
   */
  #end(guest: Guest, error: Error): void {
    guest.gone = error;
    guest.subscription();
    this.#outgoing.failFor(guest, error);
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
  #forward(target: Target, bus: BusIdentity): Forward {
    return forwardTo(this.#forwardTarget(target, bus), (event, options) => this.#bus.dispatch(event, options));
  }

  #forwardTarget(
    target: Target,
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
  #callHandler(target: Target, name: string): () => Promise<unknown> {
    const call = (): Promise<unknown> => callRemote(this.#outgoing, target, activeRun());
    const kind: RemoteHandler = { name, holdsSlot: false, ownClock: false };
    return Object.assign(call, { [remoteHandler]: kind });
  }
}

function isSame(orphan: Guest, pattern: string, { name, once, forward }: GuestDescription): boolean {
  const { description } = orphan;
  return orphan.pattern === pattern && description.name === name && !once && description.forward?.id === forward?.id;
}
