import { Fifo } from '@threadbus/core/internal';
import { Assembly } from './assembly.ts';
import type { Datagrams } from './datagrams.ts';
import { Unacked } from './unacked.ts';
import { ASK, BEAT, BYE, DATA, GAP, headerSize, type Header, LAST, makePacket, readHeader, setAck } from './packet.ts';

export interface SessionOptions {
  /** Bytes on the way at most: below what a broker keeps for a slow reader before it drops it. */
  readonly window: number;
  /** Bytes of a frame at most. */
  readonly maxFrame: number;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}

export interface SessionEvents {
  /** A frame of the other side: each once, in order. Nothing is kept of it. */
  frame(bytes: Uint8Array): void;
  /** The other side has left, with its reason. */
  goodbye(reason: string): void;
  /** What came makes no sense: the session is of no use any more. */
  broken(error: Error): void;
  /** A sign of life is about to be read. @returns false if it comes too late to count */
  heard(): boolean;
  /** Some of the pending bytes have arrived. */
  acknowledged?(): void;
}

/** Milliseconds between two signs that packets are missing: they may be on their way already. */
const patience = 40;
/** Milliseconds for the other side to acknowledge what was sent before a goodbye. */
const linger = 2000;

const nothing = new Uint8Array(0);

/**
 * Frames in order, each once, over datagrams: as long as both ends live, whatever becomes of what is between them.
 *
 * Every DATA has a number. The receiver takes the next one only, drops what it has had, and says so when something
 * is missing; the sender keeps what isn't acknowledged and sends it again from there (go back n: on the usual carrier
 * packets get lost in a row, when a connection breaks). A BEAT says what was sent last, so that a lost last packet is
 * seen as well. At most `window` bytes are on the way, so that neither the broker nor a reader that is blocked has to
 * hold more; the rest waits here, and `pendingBytes` tells the owner how much that is.
 *
 *   open ──close()──▶ lingering ──all acknowledged, or 2 s──▶ closed
 *     └── goodbye, broken, abort() ─────────────────────────────▲
 *
 * It has no timer: the owner calls `tick` once a beat.
 */
export class Session {
  readonly #datagrams: Datagrams;
  readonly #options: SessionOptions;
  readonly #events: SessionEvents;
  readonly #assembly: Assembly;
  /** Packets that wait for room in the window, as pieces. */
  readonly #waiting = new Fifo<readonly [piece: Uint8Array, flags: number]>();
  /** Packets that were sent and not acknowledged, in order; the first is number `#acked + 1`. */
  readonly #unacked = new Unacked();
  #waitingBytes = 0;
  #acked = 0;
  #sent = 0;
  /** Number of the last DATA that was taken. */
  #taken = 0;
  #takenSinceAck = 0;
  /** Which gap was reported last, and when. */
  #gapAt = -1;
  #gapTold = 0;
  #state: 'open' | 'lingering' | 'closed' = 'open';
  #reason = '';
  #lingersUntil = 0;
  #onClosed: (() => void) | null = null;

  constructor(datagrams: Datagrams, options: SessionOptions, events: SessionEvents) {
    this.#datagrams = datagrams;
    this.#options = options;
    this.#events = events;
    this.#assembly = new Assembly(options.maxFrame);
  }

  /** Bytes that were given to `send` and aren't acknowledged. */
  get pendingBytes(): number {
    return this.#unacked.bytes + this.#waitingBytes;
  }

  open(): void {
    this.#datagrams.open(
      (packet) => this.#receive(packet),
      () => this.restored(),
    );
  }

  send(frame: Uint8Array): void {
    if (this.#state !== 'open') return;
    const room = this.#datagrams.maxSize - headerSize;
    let at = 0;
    do {
      const end = Math.min(at + room, frame.length);
      const piece = at === 0 && end === frame.length ? frame : frame.subarray(at, end);
      this.#waitingBytes += piece.length;
      this.#waiting.push([piece, end === frame.length ? LAST : 0]);
      at = end;
    } while (at < frame.length);
    this.#sendWaiting();
  }

  /** A beat: shows life, and asks for what is missing. */
  tick(): void {
    if (this.#state === 'closed') return;
    if (this.#state === 'lingering' && this.#options.clock() >= this.#lingersUntil) {
      this.#leave();
      return;
    }
    this.#beat(this.#unacked.size > 0 ? ASK : 0);
    this.#sendWaiting();
  }

  /** The carrier works again: nobody knows what of the last packets has arrived. */
  restored(): void {
    if (this.#state === 'closed') return;
    this.#resend();
    this.#beat(ASK);
    this.#sendWaiting();
  }

  /** Leaves once the other side has all that was sent, or two seconds later. @returns when it has left */
  close(reason: string): Promise<void> {
    if (this.#state !== 'open') return Promise.resolve();
    this.#state = 'lingering';
    this.#reason = reason;
    this.#lingersUntil = this.#options.clock() + linger;
    return new Promise((resolve) => {
      this.#onClosed = resolve;
      if (this.pendingBytes === 0 || !this.#datagrams.isUp) this.#leave();
      else this.#beat(ASK);
    });
  }

  /** Ends without a word. */
  abort(): void {
    this.#end();
  }

  #leave(): void {
    const reason = Buffer.from(this.#reason).subarray(0, this.#datagrams.maxSize - headerSize);
    this.#put(makePacket(BYE, 0, this.#sent, this.#taken, reason));
    this.#end();
  }

  #end(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#unacked.clear();
    this.#waitingBytes = 0;
    while (this.#waiting.size > 0) this.#waiting.shift();
    this.#datagrams.close();
    this.#onClosed?.();
  }

  #receive(packet: Uint8Array): void {
    if (this.#state === 'closed' || !this.#events.heard()) return;
    const header = readHeader(packet);
    if (header === null || header.ack > this.#sent || header.ack < 0) {
      this.#break(new Error('a packet came that is none of this session'));
      return;
    }
    this.#acknowledged(header.ack);
    if (header.kind === DATA) this.#data(header, packet.subarray(headerSize));
    else if (header.kind === BEAT) this.#beaten(header);
    else this.#left(packet.subarray(headerSize));
  }

  #data({ sequence, flags }: Header, piece: Uint8Array): void {
    if (sequence !== this.#taken + 1) {
      if (sequence > this.#taken) this.#tellGap();
      return;
    }
    this.#taken = sequence;
    this.#takenSinceAck += piece.length + headerSize;
    if (this.#takenSinceAck >= this.#options.window / 4) this.#beat(0);
    let frame: Uint8Array | null;
    try {
      frame = this.#assembly.add(piece, (flags & LAST) !== 0);
    } catch (error) {
      this.#break(error as Error);
      return;
    }
    // One that leaves has nothing to say to what still comes.
    if (frame !== null && this.#state === 'open') this.#events.frame(frame);
  }

  #beaten({ sequence, flags }: Header): void {
    if ((flags & GAP) !== 0) this.#resend();
    if (sequence > this.#taken) this.#tellGap();
    else if ((flags & ASK) !== 0) this.#beat(0);
  }

  #left(reason: Uint8Array): void {
    this.#end();
    this.#events.goodbye(Buffer.from(reason).toString());
  }

  #break(error: Error): void {
    this.#end();
    this.#events.broken(error);
  }

  #acknowledged(ack: number): void {
    const count = ack - this.#acked;
    if (count <= 0) return;
    this.#acked = ack;
    this.#unacked.drop(count);
    this.#sendWaiting();
    if (this.#state === 'lingering' && this.pendingBytes === 0) this.#leave();
    this.#events.acknowledged?.();
  }

  #tellGap(): void {
    const now = this.#options.clock();
    if (this.#gapAt === this.#taken && now - this.#gapTold < patience) return;
    this.#gapAt = this.#taken;
    this.#gapTold = now;
    this.#beat(GAP);
  }

  #resend(): void {
    if (!this.#datagrams.isUp) return;
    for (const packet of this.#unacked) {
      setAck(packet, this.#taken);
      this.#put(packet);
    }
  }

  #beat(flags: number): void {
    this.#takenSinceAck = 0;
    this.#put(makePacket(BEAT, flags, this.#sent, this.#taken, nothing));
  }

  #sendWaiting(): void {
    if (!this.#datagrams.isUp) return;
    while (this.#waiting.size > 0 && this.#unacked.bytes < this.#options.window) {
      const [piece, flags] = this.#waiting.shift() as readonly [Uint8Array, number];
      this.#sent += 1;
      this.#waitingBytes -= piece.length;
      this.#takenSinceAck = 0;
      const packet = makePacket(DATA, flags, this.#sent, this.#taken, piece);
      this.#unacked.push(packet);
      this.#put(packet);
    }
  }

  #put(packet: Buffer): void {
    if (!this.#datagrams.isUp) return;
    try {
      this.#datagrams.send(packet);
    } catch (error) {
      this.#refused(error as Error);
    }
  }

  /** What the carrier refuses it would refuse again: nothing that comes behind it could ever arrive. */
  #refused(error: Error): void {
    if (this.#state === 'closed') return;
    const bye = makePacket(BYE, 0, this.#sent, this.#taken, Buffer.from('what it has to send can not leave'));
    this.#end();
    try {
      this.#datagrams.send(bye);
    } catch {
      // Then the other side hears nothing any more, and gives up.
    }
    // Whoever sends is in the middle of it.
    queueMicrotask(() => this.#events.broken(error));
  }
}
