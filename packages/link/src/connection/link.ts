import type { BaseEvent, EventBus, EventResult } from '@threadbus/core';
import {
  busEngine,
  chaseOn,
  type BusEngine,
  type BusIdentity,
  createdAtOf,
  type EventConstructor,
  type ForwardTarget,
  type Lifecycle,
  origin,
  ownIds,
  type Transferable,
} from '@threadbus/core/internal';
import { Answers, type AnswersHost } from '../incoming/answers.ts';
import { unoffered, unsentError } from '../wire/clone-failure.ts';
import { ownEntries } from '../wire/clone-path.ts';
import type { Crossings } from '../outgoing/crossings.ts';
import { decodeFailure, encodeThrown } from '../wire/error-codec.ts';
import { LinkError } from '../wire/errors.ts';
import { encodeId } from '../wire/event-codec.ts';
import type { GuestHandlers } from '../incoming/guest-handlers.ts';
import type { Arrival } from '../incoming/arrival.ts';
import { Incoming } from '../incoming/incoming.ts';
import { KindWriter } from '../wire/kind-table.ts';
import { type Field, LinkServer } from '../incoming/link-server.ts';
import { Outbox, type Sender } from '../outgoing/outbox.ts';
import type { Outgoing, Wire } from '../outgoing/outgoing.ts';
import * as op from '../wire/protocol.ts';
import type { WireCall, WireEvent, WireMore, WireOutcome } from '../wire/protocol.ts';
import { moreOf } from './event-more.ts';
import { isNestedDeeper } from '../wire/nesting.ts';
import { Peer } from '../wire/peer.ts';
import type { LinkOwner } from './link-owner.ts';
import type { RemotePart } from '../outgoing/remote-part.ts';
import { ShapeWriter } from '../wire/shapes.ts';

/** One connection to the other end: reads and writes operations for as long as the port is open. */
export class Link implements Wire, AnswersHost {
  readonly bus: EventBus | null;
  readonly outgoing: Outgoing;
  readonly outbox: Outbox;
  /** Operations read so far. */
  received = 0;
  /** Told after each frame. */
  readonly onFrame: (() => void)[] = [];
  /** Told when an event of the other side has been answered for. */
  onAnswer: (() => void) | null = null;
  readonly #owner: LinkOwner;
  readonly #incoming: Incoming;
  readonly #server: LinkServer | null;
  readonly #answers: Answers;
  readonly #kinds: KindWriter;
  readonly shapes: ShapeWriter;
  readonly peer: Peer = new Peer();
  readonly #classOf = (type: string): EventConstructor | undefined => this.classOf(type);
  #closed = false;
  end: string | null = null;

  /** @param bus the bus at this end; null if there is none, as for a worker bus without a parent */
  constructor(
    sender: Sender,
    bus: EventBus | null,
    outgoing: Outgoing,
    owner: LinkOwner,
    guests: GuestHandlers | null,
  ) {
    this.bus = bus;
    this.outgoing = outgoing;
    this.#owner = owner;
    this.outbox = new Outbox(
      sender,
      true,
      (operation, error) => this.#cloneFailed(operation, error),
      (error) => owner.lost(new LinkError(`The transport failed: ${error.message}`, {}, { cause: error })),
    );
    this.#incoming = new Incoming(this, outgoing.causes);
    this.#answers = new Answers(this);
    this.#kinds = new KindWriter((number, { type, schema, timeout }) =>
      this.outbox.push(op.KIND, number, type, schema, timeout),
    );
    this.shapes = new ShapeWriter((number, names) => this.outbox.push(op.SHAPE, number, names));
    this.#server = bus === null || guests === null ? null : new LinkServer(bus, guests, this);
  }

  get #engine(): BusEngine | null {
    return this.bus === null ? null : busEngine(this.bus);
  }

  get crossings(): Crossings {
    return this.outgoing.crossings;
  }

  /** Events from the other side that are being handled here. */
  get arrivals(): number {
    return this.#incoming.size;
  }

  /** Introduces this side; everything else goes out behind it. */
  open(identity: Readonly<BusIdentity>): void {
    this.end = identity.id;
    this.crossings.opened(identity.id);
    this.outbox.open(op.HELLO, op.protocolVersion, identity.name, identity.id, ownIds, origin);
  }

  close(): void {
    this.#closed = true;
    this.outbox.flushNow();
    this.outbox.close();
    this.#server?.close();
  }

  readFrame(frame: readonly unknown[]): void {
    const loop = this.#engine?.loop;
    loop?.hold();
    this.outbox.gather();
    try {
      for (let at = 0; at < frame.length && !this.#closed;) {
        const kind = frame[at] as number;
        this.received += 1;
        if (kind === op.EVENT) this.#event(frame, at + 1);
        else if (kind === op.RESULT) this.#result(frame, at + 1);
        else this.#read(kind, frame, at + 1);
        at = op.endOf(frame, at);
      }
      for (const tell of this.onFrame) tell();
    } finally {
      try {
        loop?.go();
      } finally {
        this.outbox.release();
      }
    }
  }

  sendEvent(part: RemotePart, transfer: readonly Transferable[]): void {
    const { event, number, to, lifecycle } = part;
    const kind = this.#kinds.of(event);
    const names = Object.keys(event);
    const shape = this.shapes.of(names, kind.shape);
    kind.shape = shape;
    const { outbox } = this;
    if (transfer.length > 0) outbox.move(transfer);
    const fields =
      shape === null
        ? { payload: Object.fromEntries(ownEntries(event)) }
        : (event as object as Readonly<Record<string, unknown>>);
    if (part.context !== null && isNestedDeeper(part.context)) {
      this.#eventFailed(number, new Error('a portable context of it is nested too deep to cross a thread boundary'));
      return;
    }
    const failure = outbox.pushRow(
      fields,
      shape?.names ?? ['payload'],
      op.EVENT,
      number,
      to.target.number,
      kind.number,
      encodeId(event),
      createdAtOf(event),
      lifecycle.awaited ? 1 : 0,
      moreOf(part, this),
      shape?.number ?? 0,
      shape?.names.length ?? 1,
    );
    if (failure !== null) this.#eventFailed(number, failure);
  }

  sendPromote(part: RemotePart): void {
    this.outbox.push(op.PROMOTE, part.number);
  }

  sendCancel(part: RemotePart, cause: unknown): void {
    this.outbox.push(op.CANCEL, part.number, encodeThrown(cause));
  }

  sendSuspended(suspended: boolean): void {
    this.outbox.push(suspended ? op.SUSPENDED : op.RESUMED);
  }

  /** At once: the handler that starts may block this thread. */
  sendWorking(): void {
    this.outbox.push(op.WORKING);
    this.outbox.flushNow();
  }

  sendPing(token: number): void {
    this.outbox.push(op.PING, token);
    this.outbox.flush();
  }

  brought(lifecycle: Lifecycle): boolean {
    return this.#answers.brought(lifecycle);
  }

  targetOf(target: number, call: WireCall | null): ForwardTarget | undefined {
    return target === 0 ? (this.#engine ?? undefined) : this.#owner.subscriptionTarget(target, call);
  }

  classOf(type: string): EventConstructor | undefined {
    return this.#engine?.registry.classOf(type) ?? this.#owner.classOf(type);
  }

  runnerOf(lifecycle: Lifecycle): EventResult | null {
    return this.#owner.runnerOf(lifecycle);
  }

  descends(number: number, event: BaseEvent): Lifecycle | undefined {
    const part = this.outgoing.sentAs(number);
    part?.keep(event);
    return part?.lifecycle;
  }

  get otherEnd(): string {
    return this.outgoing.bus.id;
  }

  probe(number: number, token: string): void {
    this.outbox.push(op.PROBE, number, token);
  }

  arrived(arrival: Arrival): void {
    this.#owner.arrived(arrival);
  }

  answer(arrival: Arrival): void {
    this.#answers.send(arrival);
    this.onAnswer?.();
  }

  refuse(number: number, event: BaseEvent, error: Error): void {
    this.#answers.sendRefusal(number, event, error);
    this.onAnswer?.();
  }

  encode(event: BaseEvent, results: readonly EventResult[]): WireOutcome {
    return this.#answers.encode(event, results);
  }

  /** Gives an event what became of it at the other end. */
  settle(part: RemotePart, outcome: WireOutcome): void {
    this.#answers.read(part, outcome);
  }

  #read(kind: number, frame: readonly unknown[], at: number): void {
    const field: Field = (index) => frame[at + index] as never;
    switch (kind) {
      case op.RESULTS:
        this.#results(field(0), field(1));
        break;
      case op.HELLO:
        this.peer.introduce(field(3), field(4));
        this.#owner.hello(field(0), { name: field(1), id: field(2) });
        break;
      case op.KIND:
        this.peer.defineKind(field(0), { type: field(1), schema: field(2), timeout: field(3) });
        break;
      case op.SHAPE:
        this.peer.shapes.define(field(0), field(1));
        break;
      case op.SOURCE:
        this.#answers.readSource(field);
        break;
      case op.PROMOTE:
        this.#incoming.promote(field(0));
        this.#server?.promote(field(0));
        break;
      case op.PROBE:
        this.#probed(field(0), field(1));
        break;
      case op.CANCEL:
        this.#incoming.cancel(field(0), field(1));
        break;
      case op.OFFER:
        this.#owner.offered(field(0), field(1), field(2));
        break;
      case op.UNOFFERED:
        this.#owner.unoffered(field(0), decodeFailure(field(1)));
        break;
      case op.PING:
        this.outbox.push(op.PONG, field(0));
        this.outbox.flushNow();
        break;
      case op.PONG:
        this.#owner.pong(field(0));
        break;
      case op.SUSPENDED:
        this.#owner.suspended(true);
        break;
      case op.RESUMED:
        this.#owner.suspended(false);
        break;
      case op.WORKING:
        this.#owner.working();
        break;
      default:
        if (!this.#owner.idle.read(kind, field)) this.#server?.read(kind, field);
    }
  }

  #probed(number: number, token: string): void {
    const lifecycle = number < 0 ? this.#owner.followedBy(-number) : this.outgoing.sentAs(number)?.lifecycle;
    if (lifecycle !== undefined) chaseOn(token, lifecycle);
  }

  #event(frame: readonly unknown[], at: number): void {
    const event = this.peer.readEvent(frame, at, this.#classOf);
    const more = frame[at + 6] as WireMore | null;
    this.#incoming.receive(frame[at] as number, frame[at + 1] as number, event, frame[at + 5] === 1, more);
  }

  #result(frame: readonly unknown[], at: number): void {
    const part = this.outgoing.take(frame[at] as number);
    if (part === undefined) return;
    this.outgoing.close(part);
    this.#answers.readPlain(part, frame, at);
  }

  #results(number: number, outcome: WireOutcome): void {
    if (number < 0) {
      this.#owner.followed(-number, outcome);
      return;
    }
    const part = this.outgoing.take(number);
    if (part === undefined) return;
    this.outgoing.close(part);
    this.settle(part, outcome);
  }

  #cloneFailed(operation: readonly unknown[], error: Error): readonly unknown[] | null {
    const [kind, number] = operation;
    if (kind === op.RESULT || kind === op.RESULTS) return this.#answers.repaired(operation);
    const { name } = this.outgoing.bus;
    if (kind === op.OFFER) {
      return unoffered(number as number, operation[3] as WireEvent, name, error);
    }
    if (kind === op.EVENT) this.#eventFailed(number as number, error);
    return null;
  }

  /** The event can't be sent. */
  #eventFailed(number: number, error: Error): void {
    const part = this.outgoing.take(number);
    if (part === undefined) return;
    this.outgoing.fail(part, unsentError(part.event, this.outgoing.bus.name, error));
  }
}
