import type { BaseEvent, EventBus, EventResult } from '@threadbus/core';
import {
  busEngine,
  type BusEngine,
  type BusIdentity,
  type EventConstructor,
  type ForwardTarget,
  type Lifecycle,
  lifecycleOf,
  type ResultSource,
  type Transferable,
} from '@threadbus/core/internal';
import { unclonableError, withoutUnclonable } from './clone-failure.ts';
import type { Crossings } from './crossings.ts';
import { decodeThrown, encodeThrown } from './error-codec.ts';
import { mergePath } from './event-codec.ts';
import { type Arrival, Incoming, type IncomingHost } from './incoming.ts';
import { type Field, LinkServer } from './link-server.ts';
import { LocalCall } from './local-call.ts';
import { decodeResults, encodeOutcome, type OutcomeReader, type OutcomeWriter } from './outcome-codec.ts';
import { Outbox, type Sender } from './outbox.ts';
import type { Outgoing, Wire } from './outgoing.ts';
import * as op from './protocol.ts';
import type { WireCall, WireEvent, WireOutcome } from './protocol.ts';
import type { RemotePart } from './remote-part.ts';
import { SourceWriter } from './source-table.ts';

/** What a link tells its owner, and asks of it. */
export interface LinkOwner {
  /** The other side has introduced itself. */
  hello(version: number, peer: BusIdentity): void;
  /** Where an event for one of this side's subscriptions goes. */
  subscriptionTarget(target: number, call: WireCall | null): ForwardTarget | undefined;
  /** An event for one of this side's expectations. */
  offered(expectation: number, offer: number, wire: WireEvent): void;
  /** An event that was taken from an offer is complete. */
  followed(offer: number, outcome: WireOutcome): void;
  arrived(lifecycle: Lifecycle, slot: number): void;
  /** The parent of what the other side dispatches for an event that this side sent there. */
  runnerOf(lifecycle: Lifecycle): EventResult | null;
  /** The class for events of a type, if this side has said so with `on`. */
  classOf(type: string): EventConstructor | undefined;
  pong(token: number): void;
  /** A handler in a pool thread awaits, or goes on. */
  suspended(suspended: boolean): void;
  /** The other side starts a handler of its own accord. */
  working(): void;
}

/** One connection to the other end: reads and writes operations for as long as the port is open. */
export class Link implements Wire, IncomingHost, OutcomeWriter, OutcomeReader {
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
  readonly #sources: SourceWriter;
  /** Whose results they are, by the numbers that the other side has given them. */
  readonly #peerSources: ResultSource[] = [];
  /** The part whose results are being read. */
  #settling: RemotePart | null = null;
  #closed = false;

  /** @param bus the bus at this end; null if there is none, as for a worker bus without a parent */
  constructor(sender: Sender, bus: EventBus | null, outgoing: Outgoing, owner: LinkOwner) {
    this.bus = bus;
    this.outgoing = outgoing;
    this.#owner = owner;
    this.outbox = new Outbox(sender, true, (operation, error) => this.#cloneFailed(operation, error));
    this.#incoming = new Incoming(this);
    this.#sources = new SourceWriter((number, { handlerId, handlerName, busId, busName }) =>
      this.outbox.push(op.SOURCE, number, handlerId, handlerName, busId, busName),
    );
    this.#server = bus === null ? null : new LinkServer(bus, outgoing, this);
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
    this.outbox.open(op.HELLO, op.protocolVersion, identity.name, identity.id);
  }

  close(): void {
    this.#closed = true;
    this.outbox.flush();
    this.outbox.close();
    this.#server?.close();
  }

  readFrame(frame: readonly unknown[]): void {
    for (let at = 0; at < frame.length && !this.#closed;) {
      const kind = frame[at] as number;
      this.received += 1;
      this.#read(kind, frame, at + 1);
      at += 1 + (op.fieldCounts[kind] ?? 0);
    }
    for (const tell of this.onFrame) tell();
  }

  sendEvent(part: RemotePart, event: WireEvent, transfer: readonly Transferable[]): void {
    const jump = part.lifecycle.awaited ? 1 : 0;
    this.outbox.pushWithTransfer(transfer, op.EVENT, part.sequence, part.target, event, jump, part.slot, part.call);
  }

  sendPromote(part: RemotePart): void {
    this.outbox.push(op.PROMOTE, part.sequence);
  }

  sendCancel(part: RemotePart, cause: Error): void {
    this.outbox.push(op.CANCEL, part.sequence, encodeThrown(cause));
  }

  sendSuspended(suspended: boolean): void {
    this.outbox.push(suspended ? op.SUSPENDED : op.RESUMED);
  }

  /** At once: the handler that starts may block this thread. */
  sendWorking(): void {
    this.outbox.push(op.WORKING);
    this.outbox.flush();
  }

  sendPing(token: number): void {
    this.outbox.push(op.PING, token);
    this.outbox.flush();
  }

  isArrival(lifecycle: Lifecycle): boolean {
    return this.#incoming.has(lifecycle);
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

  answer({ sequence, event, brought, part }: Arrival): void {
    const results = part === null ? [] : brought ? lifecycleOf(event).results : part.results;
    this.#sendResults(sequence, this.encode(event, results as readonly EventResult[]));
  }

  refuse(sequence: number, event: BaseEvent, error: Error): void {
    this.#sendResults(sequence, encodeOutcome(event, [], this, error));
  }

  encode(event: BaseEvent, results: readonly EventResult[]): WireOutcome {
    this.#sources.prune();
    return encodeOutcome(event, results, this);
  }

  numberOf(source: ResultSource): number {
    return this.#sources.numberOf(source);
  }

  brought(lifecycle: Lifecycle): boolean {
    return lifecycle.cameOver === this;
  }

  sourceAt(number: number): ResultSource {
    return this.#peerSources[number] as ResultSource;
  }

  /** Children that crossed may be complete and forgotten by now, but not by the part that they came back to. */
  find(id: string): BaseEvent | undefined {
    return this.#settling?.child(id) ?? this.crossings.find(id);
  }

  local(lifecycle: Lifecycle, handlerId: string): readonly EventResult[] | null {
    return this.crossings.hasReturned(lifecycle) ? localResult(lifecycle, handlerId) : null;
  }

  arrived(lifecycle: Lifecycle, slot: number): void {
    this.#owner.arrived(lifecycle, slot);
  }

  #read(kind: number, frame: readonly unknown[], at: number): void {
    const field: Field = (index) => frame[at + index] as never;
    switch (kind) {
      case op.HELLO:
        this.#owner.hello(field(0), { name: field(1), id: field(2) });
        break;
      case op.EVENT:
        this.#incoming.receive(field(0), field(1), field(2), field(3) === 1, field(4), field(5));
        break;
      case op.SOURCE:
        this.#peerSources[field(0)] = {
          handlerId: field(1),
          handlerName: field(2),
          busId: field(3),
          busName: field(4),
        };
        break;
      case op.RESULTS:
        this.#results(field(0), field(1));
        break;
      case op.PROMOTE:
        this.#incoming.promote(field(0));
        break;
      case op.CANCEL:
        this.#incoming.cancel(field(0), field(1));
        break;
      case op.OFFER:
        this.#owner.offered(field(0), field(1), field(2));
        break;
      case op.PING:
        this.outbox.push(op.PONG, field(0));
        this.outbox.flush();
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
        this.#server?.read(kind, field);
    }
  }

  #results(sequence: number, outcome: WireOutcome): void {
    if (sequence < 0) {
      this.#owner.followed(-sequence, outcome);
      return;
    }
    const part = this.outgoing.take(sequence);
    if (part !== undefined) this.outgoing.close(part, () => this.settle(part, outcome));
  }

  /** Gives an event what became of it at the other end. */
  settle(part: RemotePart, outcome: WireOutcome): void {
    const { event } = part;
    const [path, , , , refused] = outcome;
    mergePath(event, path);
    if (refused !== null) {
      part.fail(decodeThrown(refused) as Error);
      return;
    }
    this.#settling = part;
    const results = decodeResults(event, outcome, this);
    this.#settling = null;
    part.settle(results);
  }

  #sendResults(sequence: number, outcome: WireOutcome): void {
    this.outbox.push(op.RESULTS, sequence, outcome);
    this.onAnswer?.();
  }

  #cloneFailed(operation: readonly unknown[], error: Error): readonly unknown[] | null {
    if (operation[0] === op.RESULTS) {
      return [
        op.RESULTS,
        operation[1],
        withoutUnclonable(operation[2] as WireOutcome, (number) => this.#sources.sourceAt(number)),
      ];
    }
    const part = operation[0] === op.EVENT ? this.outgoing.take(operation[1] as number) : undefined;
    if (part !== undefined) {
      const reason = unclonableError(part.event, part.bus.name, error);
      this.outgoing.close(part, () => part.fail(reason));
    }
    return null;
  }
}

/** A result that this side has already: one to put where the other side says, or none because it shows elsewhere. */
function localResult(lifecycle: Lifecycle, handlerId: string): readonly EventResult[] | null {
  const called = LocalCall.take(lifecycle, handlerId);
  if (called !== undefined) return [called];
  return lifecycle.results.some((result) => (result as EventResult).handler_id === handlerId) ? [] : null;
}
