import type { Transferable } from '@threadbus/core/internal';
import { LinkError, type Transport } from '@threadbus/link';
import { outsideContexts } from '@threadbus/link/internal';
import type { Datagrams } from './datagrams.ts';
import { Session, type SessionOptions } from './session.ts';
import { decodeValue, encodeValue } from './value-codec.ts';

/** What a frame of the session is for: its first byte. */
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
}

/** Lets a session carry a link, and notes beside it. */
export class SessionTransport implements Transport {
  readonly session: Session;
  readonly #maxFrame: number;
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
    this.session = new Session(datagrams, options, {
      frame: (bytes) => this.#read(bytes),
      goodbye: (reason) => events.goodbye(reason),
      broken: (cause) => this.fail(new LinkError(`The session broke: ${cause.message}`, {}, { cause })),
      heard: () => events.heard(),
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
    this.session.send(bytes);
  }

  /** Says something beside the link, which is plain data. */
  sendNote(note: unknown): void {
    if (this.#lost !== null) this.session.send(encodeValue(NOTE, note, this.#maxFrame));
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
    this.#lost = null;
    return this.session.close(reason);
  }

  ref(): void {
    this.#keepAlive(true);
  }

  unref(): void {
    this.#keepAlive(false);
  }

  #read(bytes: Uint8Array): void {
    if (this.#lost === null) return;
    let value: unknown;
    try {
      value = decodeValue(bytes);
    } catch (cause) {
      this.fail(new LinkError('A frame of the other side could not be read.', {}, { cause }));
      return;
    }
    if (bytes[0] === FRAME) this.#receive(value);
    else if (bytes[0] === NOTE) this.#events.note(value);
    else this.fail(new LinkError('A frame of the other side is of no known kind.'));
  }
}
