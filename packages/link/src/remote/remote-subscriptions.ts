import type { EventPattern, OnOptions, RunningBus, Subscription } from '@threadbus/core';
import {
  type AnyHandler,
  type BusIdentity,
  checkOnOptions,
  describe,
  kindOf,
  nameOf,
  type EventConstructor,
  type ForwardTarget,
  patternKey,
  subscription,
  whenAborted,
} from '@threadbus/core/internal';
import type { GuestDescription } from '../incoming/guest-handlers.ts';
import { LocalCall } from '../incoming/local-call.ts';
import * as op from '../wire/protocol.ts';
import type { WireCall } from '../wire/protocol.ts';

interface Registered {
  readonly key: string;
  readonly handler: AnyHandler;
  readonly once: boolean;
  readonly timeout: number | null;
  readonly target: ForwardTarget | null;
  readonly stopListening: (() => void) | null;
}

/** As the other side is told of it: a bus gets its final name and id only when it is exposed. */
function describeTo({ handler, once, timeout, target }: Registered, same: number | null): GuestDescription {
  return {
    name: nameOf(handler),
    once,
    timeout,
    forward: target === null ? null : { id: target.id, name: target.name },
    same,
  };
}

/** How the registrations reach the other side; null while no link is up. */
export type SendOperation = (...operation: readonly unknown[]) => void;

/** This side's handlers on the bus at the other end; they are registered again when its thread is replaced. */
export class RemoteSubscriptions {
  readonly #bus: Readonly<BusIdentity>;
  readonly #asBus: RunningBus;
  readonly #registered = new Map<number, Registered>();
  /** Numbers of a function's registrations, the oldest first. */
  readonly #byHandler = new Map<AnyHandler, readonly number[]>();
  readonly #classes = new Map<string, EventConstructor>();
  #next = 0;
  #send: SendOperation | null = null;

  /** @param asBus what a handler of this side sees as its bus */
  constructor(bus: Readonly<BusIdentity>, asBus: RunningBus) {
    this.#bus = bus;
    this.#asBus = asBus;
  }

  connect(send: SendOperation): void {
    this.#send = send;
    for (const id of this.#registered.keys()) this.#tell(id);
  }

  disconnect(): void {
    this.#send = null;
  }

  add(pattern: EventPattern, handler: unknown, options: OnOptions): Subscription {
    const key = patternKey(pattern);
    checkOnOptions(options);
    const { once = false, signal, timeout = null } = options;
    if (typeof handler !== 'function') {
      throw new TypeError(
        `Expected a handler for '${key}' on ${this.#bus.name} to be a function; got ${describe(handler)}.`,
      );
    }
    if (typeof pattern !== 'string') this.#classes.set(key, pattern);
    if (signal?.aborted === true) return subscription(() => undefined);
    const { target } = kindOf(handler);
    this.#next += 1;
    const id = this.#next;
    const stopListening = signal === undefined ? null : whenAborted(signal, () => this.#remove(id));
    const registered = { key, handler: handler as AnyHandler, once, timeout, target, stopListening };
    this.#registered.set(id, registered);
    this.#byHandler.set(registered.handler, [...(this.#byHandler.get(registered.handler) ?? []), id]);
    this.#tell(id);
    return subscription(() => this.#remove(id));
  }

  removeAll(pattern: EventPattern, handler?: AnyHandler): void {
    const key = patternKey(pattern);
    for (const [id, registered] of this.#registered) {
      if (registered.key === key && (handler === undefined || registered.handler === handler)) this.#remove(id);
    }
  }

  /** Where an event for a subscription goes. */
  targetOf(id: number, call: WireCall | null): ForwardTarget | undefined {
    const registered = this.#registered.get(id);
    if (registered === undefined || registered.target !== null || call === null) return registered?.target ?? undefined;
    const { handler } = registered;
    const source = {
      handlerId: call.handlerId,
      handlerName: nameOf(handler),
      busId: this.#bus.id,
      busName: this.#bus.name,
    };
    const { resultId, maxRecursionDepth = null } = call;
    return new LocalCall({ resultId, source, handler, bus: this.#asBus, maxRecursionDepth });
  }

  classOf(type: string): EventConstructor | undefined {
    return this.#classes.get(type);
  }

  /** The other side is gone for good. */
  end(): void {
    for (const { stopListening } of this.#registered.values()) stopListening?.();
  }

  #tell(id: number): void {
    const registered = this.#registered.get(id) as Registered;
    const [first] = this.#byHandler.get(registered.handler) ?? [];
    this.#send?.(op.SUBSCRIBE, id, registered.key, describeTo(registered, first === id ? null : (first ?? null)));
  }

  #remove(id: number): void {
    const registered = this.#registered.get(id);
    if (registered === undefined) return;
    registered.stopListening?.();
    this.#registered.delete(id);
    const others = (this.#byHandler.get(registered.handler) ?? []).filter((other) => other !== id);
    if (others.length > 0) this.#byHandler.set(registered.handler, others);
    else this.#byHandler.delete(registered.handler);
    this.#send?.(op.UNSUBSCRIBE, id);
  }
}
