import type { Transferable } from '@threadbus/core';
import { asError, setImmediate, soon } from '@threadbus/core/internal';
import { isDetached } from '../wire/clone-path.ts';
import { isCloneFailure, type Transport } from '../transport/transport.ts';
import { RowValues } from './row-values.ts';
import { endOf, EVENT, RESULT, RESULTS } from '../wire/protocol.ts';

/** How frames leave: a transport, or one of several links that share one. */
export type Sender = Pick<Transport, 'send'>;

/** Called with an operation that can't be cloned; what it returns is sent instead, null = nothing. */
export type CloneFailure = (operation: readonly unknown[], error: Error) => readonly unknown[] | null;

/** One that waits. */
interface Frame {
  readonly operations: unknown[];
  readonly transfer: readonly Transferable[];
}

/** The other side begins when it has all of a frame, and all of it is alive at once on both sides: more are slower. */
const operationsPerFrame = 32;
/** About bytes, of texts and buffers. */
const sizePerFrame = 262_144;

const nothing: readonly Transferable[] = [];
/** Of the kind that holds anything: else each copy would change its kind as it is filled. */
const empty: readonly unknown[] = emptied([{}]);

/**
 * Collects the operations of one turn into frames, so that a burst of events costs few messages.
 *
 * A frame leaves in the next microtask, or when it is full. An operation that can't be cloned doesn't take its
 * neighbours with it.
 */
export class Outbox {
  readonly #sender: Sender;
  readonly #onCloneFailure: CloneFailure;
  readonly #onLost: (error: Error) => void;
  #frame = emptyFrame();
  /** What moves with it; null until there is something. */
  #transfer: Transferable[] | null = null;
  #operations = 0;
  #size = 0;
  /** Where the operation that is being pushed in steps begins. */
  #rowAt = 0;
  readonly #row = new RowValues();
  #scheduled = false;
  /** A frame leaves at the end of this turn, if not before. */
  #waitsForTurn = false;
  #gathering = false;
  /** The event that is pushed now is the only one under way, and nobody is about to await it: it leaves at once. */
  alone = false;
  #held: boolean;
  #closed = false;
  /** Asked before a frame leaves: what it waits for, such as lines that were printed before the answers in it; null = nothing. */
  gate: (() => Promise<void> | null) | null = null;
  /** Asked about an answer: whether others may follow in this turn of the event loop, with which it leaves then. */
  expectsMore: (() => boolean) | null = null;
  /** Told once what had to wait at the gate has left. */
  onOpen: (() => void) | null = null;
  /** Told of each frame that has been written. */
  onSent: (() => void) | null = null;
  /** The frame that waits at the gate. */
  #waiting: Frame | null = null;
  /** The sender is at it: whoever reads on the other side, or a getter of what is cloned, may have more to send. */
  #sending = false;
  /** Sent so far. */
  #frames = 0;
  /** Operations sent so far; the other side counts what it has read, so that both can tell before and after. */
  sent = 0;

  /**
   * @param held nothing leaves before `open`
   * @param onLost told when the sender itself fails: nothing leaves any more
   */
  constructor(sender: Sender, held: boolean, onCloneFailure: CloneFailure, onLost: (error: Error) => void) {
    this.#sender = sender;
    this.#held = held;
    this.#onCloneFailure = onCloneFailure;
    this.#onLost = onLost;
  }

  /** Lets out what was held, behind a first operation. */
  open(...first: readonly unknown[]): void {
    this.#held = false;
    this.#frame.unshift(...first);
    this.#operations += 1;
    this.sent += 1;
    this.flush();
  }

  /** Nothing in it may be nested deeper than others can read: whoever makes it has seen to that. */
  push(...operation: readonly unknown[]): this {
    this.#frame.push(...operation);
    this.#added(operation[0]);
    return this;
  }

  /**
   * Reads the values with which the operation ends that is pushed next, in steps from `beginRow` to `endRow`.
   * @param transfer what moves with it
   * @returns null; or why one of them can't be sent, with which nothing is
   */
  readRow(
    object: Readonly<Record<string, unknown>>,
    names: readonly string[],
    transfer: readonly Transferable[] = nothing,
  ): Error | null {
    return this.#row.read(object, names, transfer);
  }

  /** What the operation has before its values is pushed to that by the caller. */
  beginRow(): unknown[] {
    this.#rowAt = this.#frame.length;
    return this.#frame;
  }

  endRow(): void {
    this.#size += this.#row.moveTo(this.#frame);
    this.#added(this.#frame[this.#rowAt]);
  }

  /** What the operation that is pushed next has in it is to move. */
  move(transfer: readonly Transferable[]): void {
    // Named twice, all of the frame would fail.
    for (const item of transfer) if (this.#transfer?.includes(item) !== true) (this.#transfer ??= []).push(item);
  }

  gather(): void {
    this.#gathering = true;
  }

  release(): void {
    this.#gathering = false;
    if (!this.#scheduled) this.flush();
  }

  /** About bytes of what has not left, in texts and buffers. */
  get size(): number {
    return this.#size;
  }

  readonly #flushScheduled = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  /** Something waits at the gate. */
  get gated(): boolean {
    return this.#waiting !== null;
  }

  /** What was scheduled finds nothing then, or what has come since. */
  flush(): void {
    if (this.#operations === 0 || this.#held || this.#closed || this.#sending || this.#waiting !== null) return;
    const wait = this.gate === null ? null : this.gate();
    if (wait === null) this.#sendAll();
    else void this.#sendAfter(wait);
  }

  /** What can't wait leaves, with all that was to go before it. */
  flushNow(): void {
    if (this.#held || this.#closed || this.#sending) return;
    this.#open();
    if (this.#operations > 0) this.#sendAll();
  }

  close(): void {
    this.#closed = true;
    this.#frame = emptyFrame();
    this.#open();
  }

  #sendAll(): void {
    const transfer = this.#transfer ?? nothing;
    this.#sendFrame(this.#take(), transfer);
  }

  #take(): unknown[] {
    this.#transfer = null;
    this.#operations = 0;
    this.#size = 0;
    const frame = this.#frame;
    this.#frame = emptyFrame();
    return frame;
  }

  /** What comes to be sent meanwhile goes behind it. */
  #sendFrame(operations: unknown[], transfer: readonly Transferable[]): void {
    this.#sending = true;
    const failure = transfer.some(isDetached) ? movedError() : this.#send(operations, transfer);
    if (failure !== null) this.#sendOneByOne(operations, transfer);
    this.#sending = false;
    this.onSent?.();
    if (this.#operations > 0 && !this.#scheduled && !this.#waitsForTurn && !this.#gathering) this.flush();
  }

  /** What is pushed meanwhile goes behind it, and may have something to wait for itself. */
  async #sendAfter(wait: Promise<void>): Promise<void> {
    const transfer = this.#transfer ?? nothing;
    const frame = { operations: this.#take(), transfer };
    this.#waiting = frame;
    await wait;
    if (this.#waiting !== frame) return;
    this.#open();
    this.flush();
  }

  #open(): void {
    const frame = this.#waiting;
    if (frame === null) return;
    this.#waiting = null;
    this.#sendFrame(frame.operations, frame.transfer);
    this.onOpen?.();
  }

  #added(kind: unknown): void {
    this.sent += 1;
    this.#operations += 1;
    if (this.#operations >= operationsPerFrame || this.#size >= sizePerFrame) this.flush();
    else if (!this.#gathering) this.#leave(kind);
  }

  /** What nothing can follow in this turn leaves at once: a promise for each event costs more than all else here. */
  #leave(kind: unknown): void {
    if (this.alone && kind === EVENT && !this.#scheduled) this.flush();
    else if (!isAnswer(kind)) this.#schedule(false);
    else if (this.expectsMore === null || this.expectsMore()) this.#schedule(this.expectsMore !== null);
    else if (!this.#scheduled) this.flush();
  }

  /** What doesn't wait takes along what does. */
  #schedule(mayWait: boolean): void {
    if (mayWait) {
      if (this.#waitsForTurn || this.#scheduled) return;
      this.#waitsForTurn = true;
      setImmediate(() => {
        this.#waitsForTurn = false;
        this.flush();
      });
    } else if (!this.#scheduled) {
      this.#scheduled = true;
      soon(this.#flushScheduled);
    }
  }

  #sendOneByOne(frame: readonly unknown[], transfer: readonly Transferable[]): void {
    for (let at = 0; at < frame.length;) {
      const end = endOf(frame, at);
      this.#sendOne(frame.slice(at, end), transfer);
      at = end;
    }
  }

  #sendOne(operation: readonly unknown[], transfer: readonly Transferable[]): void {
    const moved = transfer.filter((item) => contains(operation, item, new Set()));
    const failure = moved.some(isDetached) ? movedError() : this.#send([...operation], moved);
    if (failure === null) return;
    const instead = this.#onCloneFailure(operation, failure);
    if (instead === null) this.sent -= 1;
    else if (this.#send([...instead], []) !== null) this.#fail(failure);
  }

  /** @returns why the frame can't be cloned; null if it was sent, or the sender has failed */
  #send(frame: unknown[], transfer: readonly Transferable[]): Error | null {
    if (this.#closed) return null;
    frame.push(this.#frames + 1);
    try {
      this.#sender.send(frame, transfer);
      this.#frames += 1;
    } catch (error) {
      frame.pop();
      if (isCloneFailure(error)) return error as Error;
      this.#fail(asError(error));
    }
    return null;
  }

  #fail(error: Error): void {
    this.close();
    this.#onLost(error);
  }
}

/**
 * No literal: V8 watches how many objects of one outlive a collection. In a bus's first moments, until its history is
 * full, that is all of them, and then it may make each further one in the old generation, where even a dead one keeps all
 * that is in it until the next major collection.
 */
function emptyFrame(): unknown[] {
  return empty.slice();
}

function emptied(array: unknown[]): unknown[] {
  array.length = 0;
  return array;
}

function isAnswer(kind: unknown): boolean {
  return kind === RESULT || kind === RESULTS;
}

function movedError(): Error {
  return new Error('A buffer of its transfer list was moved before.');
}

/** Whether `item` is somewhere in `value`: a transferred thing must be part of its message. */
function contains(value: unknown, item: Transferable, seen: Set<object>): boolean {
  if (value === item) return true;
  if (typeof value !== 'object' || value === null || seen.has(value)) return false;
  seen.add(value);
  if (ArrayBuffer.isView(value)) return value.buffer === item;
  const members = value instanceof Map ? [...value].flat() : value instanceof Set ? [...value] : Object.values(value);
  return members.some((member) => contains(member, item, seen));
}
