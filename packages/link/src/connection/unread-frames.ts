import { describe, isReadableError } from '@threadbus/core/internal';
import type { Outbox } from '../outgoing/outbox.ts';
import type { Outgoing } from '../outgoing/outgoing.ts';
import { FrameUnread } from '../transport/transport.ts';
import { unreadError } from '../wire/clone-failure.ts';
import { decodeFailure, encodeThrown } from '../wire/error-codec.ts';
import { LinkError } from '../wire/errors.ts';
import { malformed } from '../wire/malformed.ts';
import * as op from '../wire/protocol.ts';
import type { WireValue } from '../wire/protocol.ts';
import type { FramesRead } from './frames-read.ts';

/** What frames that can't be read do to their link. */
export interface UnreadHost {
  readonly closed: boolean;
  readonly outbox: Outbox;
  readonly outgoing: Outgoing;
  /** The EVENT with that number came, and is not answered for. */
  knows(number: number): boolean;
  lose(error: Error): void;
}

/**
 * Frames that one side has sent and the other can't read: nested too deep for its stack, or of a kind that it doesn't know.
 *
 * Nobody can tell what was in such a frame, and all that follows builds upon it: the link is over, and the other side is
 * told why. If that was a thread which is replaced, whatever it may have been is sent to the next one apart, each event
 * in a frame of its own. Such a frame is passed over: the event fails, and nothing else.
 *
 *   in a frame with others ──▶ UNREAD -1, lost ──sent again: APART, EVENT──▶ read
 *                                                                     └──▶ UNREAD number, the event fails
 */
export class UnreadFrames {
  readonly #host: UnreadHost;
  readonly #frames: FramesRead;

  constructor(host: UnreadHost, frames: FramesRead) {
    this.#host = host;
    this.#frames = frames;
  }

  /** The transport can't read a frame. @returns whether it is to go on, because that was an event alone */
  passOver(error: Error): boolean {
    if (this.#host.closed) return false;
    const number = this.#frames.skip();
    this.#tell(number, error);
    return number !== null;
  }

  /** What was in a frame can't be understood. */
  failed(cause: unknown): void {
    const why = isReadableError(cause) ? cause.message : describe(cause);
    const { name } = this.#host.outgoing.bus;
    const error = new LinkError(`What came from ${name} can't be read: ${why}.`, {}, { cause });
    const number = this.#frames.failed();
    this.#tell(number === null || this.#host.knows(number) ? null : number, error);
  }

  /** From the fields of an UNREAD: the other side can't read what this one has sent. */
  told(number: number, error: WireValue): void {
    const { outgoing } = this.#host;
    const { name } = outgoing.bus;
    const cause = decodeFailure(error);
    if (number < 0) {
      this.#host.lose(new FrameUnread(`${name} can't go on: ${cause.message}`, {}, { cause }));
      return;
    }
    const part = outgoing.take(number) ?? malformed('the number of an UNREAD');
    outgoing.meter?.unread();
    outgoing.fail(part, unreadError(part.event, name, cause));
  }

  /** @param number of the event; null = the link is over */
  #tell(number: number | null, error: Error): void {
    const { outbox } = this.#host;
    outbox.push(op.UNREAD, number ?? -1, encodeThrown(error));
    if (number !== null) return;
    outbox.flushNow();
    this.#host.lose(error);
  }
}
