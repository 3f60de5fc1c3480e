import type { BaseEvent, EventBus, EventResult, Transferable } from '@threadbus/core';
import {
  busEngine,
  type BusEngine,
  type BusIdentity,
  type EventConstructor,
  type ForwardTarget,
  type Lifecycle,
} from '@threadbus/core/internal';
import { Answers, type AnswersHost } from '../incoming/answers.ts';
import type { Crossings } from '../outgoing/crossings.ts';
import type { DispatchTimes } from '../outgoing/dispatch-times.ts';
import { encodeThrown } from '../wire/error-codec.ts';
import { LinkError } from '../wire/errors.ts';
import type { GuestHandlers } from '../incoming/guest-handlers.ts';
import type { Arrival } from '../incoming/arrival.ts';
import { Incoming } from '../incoming/incoming.ts';
import { hello, readOrigins, readPeer } from '../wire/handshake.ts';
import { malformed } from '../wire/malformed.ts';
import { type Field, LinkServer } from '../incoming/link-server.ts';
import type { Asking } from '../outgoing/answer-clock.ts';
import { Outbox, type Sender } from '../outgoing/outbox.ts';
import type { Outgoing, Wire } from '../outgoing/outgoing.ts';
import * as op from '../wire/protocol.ts';
import type { WireCall, WireExtra, WireOutcome } from '../wire/protocol.ts';
import { moreFrom } from './event-more.ts';
import { FarWaits } from './far-waits.ts';
import { type FrameHost, FramesRead } from './frames-read.ts';
import { EventWriter } from './event-writer.ts';
import { Peer } from '../wire/peer.ts';
import { type LinkOwner, tellOwner } from './link-owner.ts';
import { unrestored } from '../wire/restore-error.ts';
import { UnreadFrames, type UnreadHost } from './unread-frames.ts';
import { Unsendable } from './unsendable.ts';
import type { RemotePart } from '../outgoing/remote-part.ts';
import { ShapeWriter } from '../wire/shapes.ts';

/** One connection to the other end: reads and writes operations for as long as the port is open. */
export class Link implements Wire, AnswersHost, Asking, FrameHost, UnreadHost {
  readonly bus: EventBus | null;
  readonly #engine: BusEngine | null;
  readonly outgoing: Outgoing;
  readonly outbox: Outbox;
  /** Told after each frame. */
  readonly onFrame: (() => void)[] = [];
  onAnswer: ((arrival: Arrival) => void) | null = null;
  readonly #owner: LinkOwner;
  readonly #incoming: Incoming;
  readonly #server: LinkServer | null;
  readonly #answers: Answers;
  readonly #unsendable: Unsendable;
  readonly #events: EventWriter;
  readonly #waits: FarWaits;
  readonly shapes: ShapeWriter;
  readonly peer: Peer = new Peer();
  readonly #classOf = (type: string): EventConstructor | undefined => this.classOf(type);
  readonly #onLost: (error: Error) => void;
  readonly #frames = new FramesRead(this);
  readonly #unread = new UnreadFrames(this, this.#frames);
  closed = false;
  end: string | null = null;

  /**
   * @param bus the bus at this end; null if there is none, as for a worker bus without a parent
   * @param onLost told once if the link ends by itself: nothing comes or goes any more
   */
  constructor(
    sender: Sender,
    bus: EventBus | null,
    outgoing: Outgoing,
    owner: LinkOwner,
    guests: GuestHandlers | null,
    onLost: (error: Error) => void,
  ) {
    this.bus = bus;
    this.#engine = bus === null ? null : busEngine(bus);
    this.#onLost = onLost;
    this.outgoing = outgoing;
    this.#owner = owner;
    this.outbox = new Outbox(
      sender,
      true,
      (operation, error) => this.#unsendable.instead(operation, error),
      (error) => this.lose(new LinkError(`The transport failed: ${error.message}`, {}, { cause: error })),
    );
    this.#incoming = new Incoming(this, outgoing.causes);
    this.#answers = new Answers(this);
    this.#waits = new FarWaits(owner, outgoing);
    this.#unsendable = new Unsendable(outgoing, (answer) => this.#answers.repaired(answer));
    this.shapes = new ShapeWriter((number, names) => this.outbox.push(op.SHAPE, number, names));
    this.#events = new EventWriter(this.outbox, this.shapes);
    this.#server = bus === null || guests === null ? null : new LinkServer(bus, guests, this);
  }

  get crossings(): Crossings {
    return this.outgoing.crossings;
  }

  get times(): DispatchTimes {
    return this.crossings.times;
  }

  get hasArrivals(): boolean {
    return this.#incoming.size > 0;
  }

  get received(): number {
    return this.#frames.operations;
  }

  /** Everything else goes out behind the introduction. */
  open(identity: Readonly<BusIdentity>): void {
    this.end = identity.id;
    this.crossings.opened(identity.id);
    this.outbox.open(...hello(identity));
  }

  close(): void {
    this.closed = true;
    this.#server?.close();
    this.outbox.flushNow();
    this.outbox.close();
  }

  /** Reads what has come: a frame, if the other side is what it says it is. */
  readFrame(frame: unknown): void {
    if (this.closed) return;
    const loop = this.#engine?.loop;
    loop?.hold();
    this.outbox.gather();
    try {
      this.#frames.read(frame);
      for (const tell of this.onFrame) tell();
    } catch (cause) {
      this.#unread.failed(cause);
    } finally {
      try {
        loop?.go();
      } finally {
        this.outbox.release();
      }
    }
  }

  /** The transport can't read a frame. @returns whether it is to go on */
  unread(error: Error): boolean {
    return this.#unread.passOver(error);
  }

  knows(number: number): boolean {
    return this.#incoming.knows(number);
  }

  /** Nothing comes or goes any more; told once, and not after `close`. */
  lose(error: Error): void {
    if (this.closed) return;
    this.closed = true;
    this.outbox.close();
    this.#server?.close();
    this.#onLost(error);
  }

  greet(frame: readonly unknown[]): void {
    const peer = readPeer(frame);
    if (peer instanceof LinkError) {
      this.lose(peer);
      return;
    }
    this.peer.introduce(peer, readOrigins(frame));
    this.#owner.hello(peer);
  }

  sendEvent(part: RemotePart, transfer: readonly Transferable[]): void {
    // What a handler dispatches it may be about to await, which goes in the same frame; a moved buffer can wait, too.
    const { parent } = part.lifecycle;
    this.outbox.alone = this.outgoing.size === 1 && parent === null && transfer.length === 0;
    const failure = this.#events.write(part, this, transfer);
    this.outbox.alone = false;
    if (failure !== null) this.#unsendable.failEvent(part.number, failure);
  }

  sendPromote(part: RemotePart): void {
    this.outbox.push(op.PROMOTE, part.number);
  }

  sendCancel(part: RemotePart, cause: unknown): void {
    this.outbox.push(op.CANCEL, part.number, encodeThrown(cause));
  }

  get heard(): number {
    return this.#frames.count;
  }

  ask({ number, order }: RemotePart): void {
    this.outbox.push(op.ASK, number, order);
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

  sentAs(number: number): RemotePart | undefined {
    return this.outgoing.sentAs(number);
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
    this.onAnswer?.(arrival);
  }

  refuse(number: number, event: BaseEvent, error: Error): void {
    this.#answers.sendRefusal(number, event, error);
  }

  encode(event: BaseEvent, results: readonly EventResult[]): WireOutcome {
    return this.#answers.encode(event, results);
  }

  /** Gives an event what became of it at the other end. */
  settle(part: RemotePart, outcome: WireOutcome): void {
    part.answer(this.#answers.read(part, outcome));
  }

  operation(kind: number, frame: readonly unknown[], at: number): void {
    if (kind === op.EVENT) this.#event(frame, at);
    else if (kind === op.RESULT) this.#result(frame, at);
    else this.#read(kind, frame, at);
  }

  #read(kind: number, frame: readonly unknown[], at: number): void {
    const field: Field = (index) => frame[at + index] as never;
    switch (kind) {
      case op.RESULTS:
        this.#results(field(0), field(1));
        break;
      case op.HELLO:
        // With the first frame, and that was read.
        if (at > 1 || this.#frames.count > 1) malformed('another introduction');
        break;
      case op.KIND:
        this.peer.defineKind(field(0), field);
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
        this.#waits.probed(field(0), field(1));
        break;
      case op.CANCEL:
        this.#incoming.cancel(field(0), field(1));
        break;
      case op.PING:
        this.outbox.push(op.PONG, field(0));
        this.outbox.flushNow();
        break;
      case op.ASK:
        this.outbox.push(op.KNOWN, field(0), field(1), this.knows(field(0)));
        break;
      case op.APART:
        this.#frames.apart = field(0);
        break;
      case op.UNREAD:
        this.#unread.told(field(0), field(1));
        break;
      case op.KNOWN:
        if (this.outgoing.sentAs(field(0))?.order === field(1) && !field(2)) malformed('its answer for an event');
        break;
      default:
        if (!tellOwner(this.#owner, kind, field) && this.#server?.read(kind, field) !== true) malformed('what it asks');
    }
  }

  #event(frame: readonly unknown[], at: number): void {
    const more = moreFrom(frame[at + 6] as WireExtra, this.peer.path);
    let event: BaseEvent;
    let failure: Error | null = null;
    try {
      event = this.peer.readEvent(frame, at, this.#classOf);
    } catch (error) {
      [event, failure] = unrestored(error);
    }
    this.#incoming.receive(frame[at] as number, frame[at + 1] as number, event, frame[at + 5] === 1, more, failure);
  }

  /** The part is taken when its answer has been read: until then it ends with the link. */
  #result(frame: readonly unknown[], at: number): void {
    const number = frame[at] as number;
    const part = this.outgoing.sentAs(number) ?? malformed('the number of a RESULT');
    this.#settle(part, number, this.#answers.readPlain(part, frame, at));
  }

  #results(number: number, outcome: WireOutcome): void {
    if (number < 0) {
      this.#owner.followed(-number, outcome);
      return;
    }
    const part = this.outgoing.sentAs(number) ?? malformed('the number of a RESULTS');
    this.#settle(part, number, this.#answers.read(part, outcome));
  }

  #settle(part: RemotePart, number: number, results: readonly EventResult[] | Error): void {
    this.outgoing.take(number);
    this.outgoing.close(part);
    part.answer(results);
  }
}
