import type { BaseEvent, EventPattern, EventsOptions, ExpectOptions } from '@threadbus/core';
import {
  type BusIdentity,
  checkEventsOptions,
  checkExpectOptions,
  type EventConstructor,
  EventStream,
  isBusStoppedError,
  isExpected,
  type Lifecycle,
  lifecycleOf,
  patternKey,
  startTimer,
  TimeoutError,
  whenAborted,
} from '@threadbus/core/internal';
import type { Crossings } from '../outgoing/crossings.ts';
import { decodeEvent } from '../wire/event-codec.ts';
import * as op from '../wire/protocol.ts';
import type { WireEvent } from '../wire/protocol.ts';
import { sharedNow } from '../wire/shared-clock.ts';
import { Destination, type PartHost, RemotePart } from '../outgoing/remote-part.ts';
import type { SendOperation } from './remote-subscriptions.ts';

/** The other side keeps what it offers until it is told: once for so many. */
const offersTold = 64;

interface Expectation {
  readonly key: string;
  /** Epoch milliseconds. */
  readonly since: number;
  /** The same, of the clock that nobody sets. */
  readonly sharedSince: number;
  /** Events that had been offered before, though their time is not before `since`: it is for later ones. */
  readonly earlier: ReadonlySet<string> | null;
  readonly Class: EventConstructor | undefined;
  offer(event: BaseEvent, offer: number): void;
  refuse(error: Error): void;
  /** The bus is let go of in order; without it that is a loss like any other. */
  close?(): void;
}

/** Those of this side who wait for an event to be dispatched to the bus at the other end, or read all that are. */
export class RemoteExpectations {
  readonly #bus: Readonly<BusIdentity>;
  readonly #crossings: Crossings;
  readonly #waiting = new Map<number, Expectation>();
  /** Events that were taken, by the number of their offer: followed until they are complete. */
  readonly #followed = new Map<number, RemotePart>();
  /** Ids of the events that were offered in the last millisecond in which any was. */
  readonly #offered = new Set<string>();
  #offeredAt = 0;
  #next = 0;
  #send: SendOperation | null = null;

  constructor(bus: Readonly<BusIdentity>, crossings: Crossings) {
    this.#bus = bus;
    this.#crossings = crossings;
  }

  connect(send: SendOperation): void {
    this.#send = send;
    for (const [id, expectation] of this.#waiting) this.#tell(id, expectation);
  }

  /** The link is down: what was taken from it will not be heard of any more. */
  disconnect(error: Error): void {
    this.#send = null;
    const followed = [...this.#followed.values()];
    this.#followed.clear();
    for (const part of followed) part.fail(error);
  }

  add(pattern: EventPattern, options: ExpectOptions, failure: Error | null): Promise<BaseEvent> {
    const key = patternKey(pattern);
    const { timeout, signal } = checkExpectOptions(options);
    const timeoutError = (seconds: number): TimeoutError =>
      new TimeoutError(
        `No '${key}' that matches was dispatched to ${this.#bus.name} within ${seconds} s.`,
        { busName: this.#bus.name },
        seconds,
      );
    if (failure !== null) return Promise.reject(failure);
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    if (timeout === 0) return Promise.reject(timeoutError(0));
    this.#next += 1;
    const id = this.#next;
    let refused = 0;
    return new Promise((resolve, reject) => {
      const end = (taken: number): void => {
        this.#waiting.delete(id);
        this.#send?.(op.UNEXPECT, id, taken);
        timer?.cancel();
        stopListening?.();
      };
      const expectation: Expectation = {
        key,
        ...this.#now(),
        Class: typeof pattern === 'string' ? undefined : pattern,
        offer: (event, offer) => {
          try {
            if (!isExpected(event, options)) {
              refused += 1;
              if (refused % offersTold === 0) this.#send?.(op.TAKE, id, -offer);
              return;
            }
            this.#follow(event, offer);
            end(offer);
            resolve(event);
          } catch (error) {
            expectation.refuse(error as Error);
          }
        },
        refuse: (error) => {
          end(0);
          reject(error);
        },
      };
      const onAbort = (): void => expectation.refuse(signal?.reason as Error);
      const stopListening = signal === undefined ? null : whenAborted(signal, onAbort);
      const timer =
        timeout === null ? null : startTimer(timeout, () => expectation.refuse(timeoutError(timeout)), true);
      this.#waiting.set(id, expectation);
      this.#tell(id, expectation);
    });
  }

  /** For one reader: each event is taken as it is offered, and followed, so that it completes here, too. */
  stream(pattern: EventPattern, options: EventsOptions): EventStream {
    const key = patternKey(pattern);
    this.#next += 1;
    const id = this.#next;
    const stream = new EventStream(this.#bus.name, checkEventsOptions(options), () => {
      if (this.#waiting.delete(id)) this.#send?.(op.UNEXPECT, id, 0);
    });
    if (stream.ended) return stream;
    const expectation: Expectation = {
      key,
      ...this.#now(),
      Class: typeof pattern === 'string' ? undefined : pattern,
      offer: (event, offer) => {
        this.#follow(event, offer);
        this.#send?.(op.TAKE, id, offer);
        stream.push(event);
      },
      // A bus that was stopped ends it as a bus of this thread does; any other end would hide what may have been missed.
      refuse: (error) => stream.end(isBusStoppedError(error) ? null : error),
      close: () => stream.end(),
    };
    this.#waiting.set(id, expectation);
    this.#tell(id, expectation);
    return stream;
  }

  #tell(id: number, { key, since, sharedSince }: Expectation): void {
    this.#send?.(op.EXPECT, id, key, since, sharedSince);
  }

  /** The other side has such an event. */
  offered(id: number, offer: number, wire: WireEvent): void {
    const eventId = wire[2];
    const at = Date.now();
    if (at !== this.#offeredAt) this.#offered.clear();
    this.#offeredAt = at;
    this.#offered.add(eventId);
    const expectation = this.#waiting.get(id);
    if (expectation?.earlier?.has(eventId) === true) return;
    expectation?.offer(this.#crossings.find(eventId) ?? decodeEvent(wire, expectation.Class), offer);
  }

  /** An event that was taken and isn't complete. */
  followed(offer: number): Lifecycle | undefined {
    return this.#followed.get(offer)?.lifecycle;
  }

  /** @returns the part of an event that was taken, now that it is complete */
  takeFollowed(offer: number): RemotePart | undefined {
    const part = this.#followed.get(offer);
    this.#followed.delete(offer);
    return part;
  }

  /** The other side has such an event, but it can't cross: nobody can tell whether it is the one. */
  refuse(id: number, error: Error): void {
    this.#waiting.get(id)?.refuse(error);
  }

  /** This side ends the link. */
  close(): void {
    for (const expectation of [...this.#waiting.values()]) expectation.close?.();
  }

  refuseAll(error: Error): void {
    for (const expectation of [...this.#waiting.values()]) expectation.refuse(error);
  }

  /** From when on events count, for one that is made now: those of this millisecond that were offered already don't. */
  #now(): Pick<Expectation, 'since' | 'sharedSince' | 'earlier'> {
    const since = Date.now();
    return { since, sharedSince: sharedNow(), earlier: this.#offeredAt === since ? new Set(this.#offered) : null };
  }

  /** An event that is not under way here is so from now on, until the other side says that it is complete. */
  #follow(event: BaseEvent, offer: number): void {
    const lifecycle = lifecycleOf(event);
    if (lifecycle.sequence > 0) return;
    lifecycle.dispatched(null);
    const host: PartHost = {
      promote: () => this.#send?.(op.PROMOTE, -offer),
      // It is the other side's, and goes on there.
      cancel: () => undefined,
      completed: () => undefined,
    };
    const part = new RemotePart(event, new Destination({ number: 0 }, null), this.#bus, host, null);
    lifecycle.attach(part);
    this.#followed.set(offer, part);
  }
}
