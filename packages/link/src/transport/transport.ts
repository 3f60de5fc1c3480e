import type { Transferable } from '@threadbus/core';
import { describe, isReadableError } from '@threadbus/core/internal';
import { LinkError } from '../wire/errors.ts';

/**
 * What carries a link: a MessagePort, a pair of streams, a broker between machines.
 *
 * It keeps order and delivers each frame at most once. A gap, a frame that can't be read and an end that this side
 * didn't ask for are `lost`: told at most once, and never after `close()`. Frames that come before `open` are kept for
 * it; what was sent before `close()` still leaves; after `lost`, `send` does nothing.
 *
 * @example
 * ```ts
 * const index = await linkBuses(main, streamTransport(child.stdout, child.stdin));
 * ```
 */
export interface Transport {
  /**
   * Begins to read. Called once.
   *
   * `unread`, if it is given and the transport can pass over a frame that it can't read, is asked instead of `lost`: it
   * returns whether to go on. If not, that is the end of the transport, and `lost` needn't be told.
   */
  open(receive: (frame: unknown) => void, lost: (error: Error) => void, unread?: (error: Error) => boolean): void;
  /**
   * Sends a value that structured clone can copy; what stands in `transfer` moves.
   *
   * @throws DataCloneError if the value can't be copied: that value alone fails. Anything else that is thrown is the
   *   transport's own failure, and ends the link.
   */
  send(frame: unknown, transfer: readonly Transferable[]): void;
  /** Ends the connection once what was sent has left. */
  close(): void;
  /** Keeps the process alive. */
  ref(): void;
  /** Lets the process end although the link is open. */
  unref(): void;
}

/** The other side has closed its end, or is gone: what it had to say has been read. */
export class TransportEnded extends LinkError {}

/** The other side could not read what was sent to it, and has ended the link. */
export class FrameUnread extends LinkError {}

/** Whether an error of `send` is about the value that was sent, and not about the transport. */
export function isCloneFailure(error: unknown): boolean {
  try {
    if (typeof error !== 'object' || error === null || !('name' in error)) return false;
    return error.name === 'DataCloneError' || error.name === 'UnserializableError';
  } catch {
    // A Proxy may throw at any question.
    return false;
  }
}

/** What copying a value has thrown, in the form that `send` throws it: a getter may throw anything. */
export function cloneFailure(error: unknown): Error {
  if (isCloneFailure(error)) return error as Error;
  return new DOMException(isReadableError(error) ? error.message : describe(error), {
    name: 'DataCloneError',
    cause: error,
  });
}
