import type { Transferable } from '@threadbus/core';
import { LinkError, type Transport } from '@threadbus/link';
import { outsideContexts } from '@threadbus/link/internal';
import type { Datagrams } from './datagrams.ts';
import { Session, type SessionOptions } from './session.ts';
import { encodeValue, type ReadValue, readValue } from './value-codec.ts';

/** What a value is for. */
const FRAME = 0;
const NOTE = 1;

/** Told of what concerns both ends of a transport beside its frames. */
export interface SessionTransportEvents {
  /** The other side has said something beside the link, in order with its frames. */
  note(note: unknown): void;
  /** The other side has left, with its reason. */
  goodbye(reason: string): void;
  /** As of a session. */
  heard(): boolean;
  acknowledged?(): void;
}

/** Bytes after which a batch doesn't wait for the end of the turn: the other side works on them while this one makes more. */
const fullBatch = 16 * 1024;

/**
 * Lets a session carry a link, and notes beside it.
 *
 * While something is on its way, what is sent within one turn of the event loop leaves as one batch at its end: handlers
 * that end one after another in one turn would else cost a message of the broker each. A frame is copied when it is sent, so that a value that can't
 * be copied fails by itself, and what its sender does with it later doesn't matter.
 */
export class SessionTransport implements Transport {
  readonly session: Session;
  readonly #maxFrame: number;
  #batch: Buffer[] = [];
  #batchBytes = 0;
  readonly #events: SessionTransportEvents;
  readonly #keepAlive: (needed: boolean) => void;
  #receive: (frame: unknown) => void = () => undefined;
  #lost: ((error: Error) => void) | null = null;

  /** @param keepAlive told whether the process must stay up */
  constructor(
    datagrams: Datagrams,
    options: SessionOptions,
    events: SessionTransportEvents,
    keepAlive: (needed: boolean) => void,
  ) {
    this.#maxFrame = options.maxFrame;
    this.#events = events;
    this.#keepAlive = keepAlive;
    const whole = { ...options, maxFrame: options.maxFrame + 2 * fullBatch };
    this.session = new Session(datagrams, whole, {
      frame: (bytes) => this.#read(bytes),
      goodbye: (reason) => events.goodbye(reason),
      broken: (cause) => this.fail(new LinkError(`The session broke: ${cause.message}`, {}, { cause })),
      heard: () => events.heard(),
      acknowledged: () => events.acknowledged?.(),
    });
  }

  open(receive: (frame: unknown) => void, lost: (error: Error) => void): void {
    this.#receive = receive;
    this.#lost = lost;
    outsideContexts(() => this.session.open());
  }

  send(frame: unknown, transfer: readonly Transferable[]): void {
    if (this.#lost === null) return;
    const bytes = encodeValue(FRAME, frame, this.#maxFrame);
    // Copied already: all that is left of moving is that the sender loses them.
    for (const item of transfer) structuredClone(item, { transfer: [item] });
    this.#add(bytes);
  }

  /** Bytes that the other side hasn't acknowledged. */
  get pendingBytes(): number {
    return this.#batchBytes + this.session.pendingBytes;
  }

  /** Says something beside the link, which is plain data. */
  sendNote(note: unknown): void {
    if (this.#lost !== null) this.#add(encodeValue(NOTE, note, this.#maxFrame));
  }

  /** Nothing comes any more; told once, and never after `close()`. */
  fail(error: Error): void {
    const lost = this.#lost;
    this.#lost = null;
    this.session.abort();
    lost?.(error);
  }

  close(): void {
    void this.leave('the link was closed there');
  }

  /** As `close`, with a reason for the other side. @returns when it has left */
  leave(reason: string): Promise<void> {
    this.#flush();
    this.#lost = null;
    return this.session.close(reason);
  }

  ref(): void {
    this.#keepAlive(true);
  }

  unref(): void {
    this.#keepAlive(false);
  }

  /** What finds the way free leaves at once; else the end of the turn is not too late. */
  #add(bytes: Buffer): void {
    const isFirst = this.#batch.length === 0;
    this.#batch.push(bytes);
    this.#batchBytes += bytes.length;
    const isFree = isFirst && this.session.pendingBytes === 0;
    if (isFree || this.#batchBytes >= fullBatch) this.#flush();
    else if (isFirst) setImmediate(() => this.#flush());
  }

  #flush(): void {
    const [first, ...more] = this.#batch;
    if (first === undefined) return;
    const batch = more.length === 0 ? first : Buffer.concat(this.#batch, this.#batchBytes);
    this.#batch = [];
    this.#batchBytes = 0;
    this.session.send(batch);
  }

  /** The frames of a batch. */
  #read(batch: Uint8Array): void {
    const bytes = Buffer.from(batch.buffer, batch.byteOffset, batch.byteLength);
    for (let at = 0; at < bytes.length && this.#lost !== null;) {
      let read: ReadValue;
      try {
        read = readValue(bytes, at);
      } catch (cause) {
        this.fail(new LinkError('A frame of the other side could not be read.', {}, { cause }));
        return;
      }
      if (read.channel === FRAME) this.#receive(read.value);
      else if (read.channel === NOTE) this.#events.note(read.value);
      else this.fail(new LinkError('A frame of the other side is of no known kind.'));
      at = read.end;
    }
  }
}
