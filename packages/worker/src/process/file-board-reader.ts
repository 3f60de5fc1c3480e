import { closeSync, readSync, writeSync } from 'node:fs';
import { type BoardReader, hasSlot, type Holder, holderKinds, slotCount } from '../thread/board.ts';
import { monotonic } from '../thread/monotonic.ts';
import {
  holderAt,
  holderFields as field,
  holderSize,
  longestWords,
  openBoard,
  slotsAt,
  slotSize,
  watchedAt,
  wordsAt,
} from './board-file.ts';

/** This side of a process's board; it makes the file. */
export class FileBoardReader implements BoardReader {
  /** To be handed to the process. */
  readonly fd: number = openBoard();
  /** When the event that has the slot was sent, in monotonic milliseconds. */
  readonly #sentAt = new Float64Array(slotCount);
  readonly #word = Buffer.alloc(8);
  readonly #holder = Buffer.alloc(holderSize);
  /** What the file said when it was closed. */
  #last: Buffer | null = null;

  clear(slot: number): void {
    if (hasSlot(slot)) this.#sentAt[slot] = monotonic() * 1000;
  }

  hasStarted(slot: number): boolean {
    return !hasSlot(slot) || this.#noted(slot) !== 0;
  }

  isRunning(slot: number): boolean {
    return hasSlot(slot) && this.#noted(slot) < 0;
  }

  get born(): number {
    return this.#int(holderAt + field.born);
  }

  /** Lines that the buses of the process have for their logs and have not written. */
  get unwritten(): number {
    return this.#int(holderAt + field.unwritten);
  }

  setWatched(watched: boolean): void {
    if (this.#last !== null) return;
    this.#word.writeInt32LE(watched ? 1 : 0);
    writeSync(this.fd, this.#word, 0, 4, watchedAt);
  }

  holder(): Holder | null {
    const bytes = this.#bytes(holderAt, this.#holder, holderSize);
    const token = bytes.readInt32LE(field.token);
    // The process may be going on to another handler right now.
    if (token === 0 || token !== bytes.readInt32LE(field.tokenAgain)) return null;
    return {
      token,
      slot: bytes.readInt32LE(field.slot),
      kind: holderKinds[bytes.readInt32LE(field.kind)] ?? 'other',
      startedAt: bytes.readDoubleLE(field.startedAt),
      timeout: bytes.readDoubleLE(field.timeout),
    };
  }

  /** What the process has thrown and not caught, as it wrote it down; null if it had no time to. */
  get lastWords(): Buffer | null {
    const length = this.#int(wordsAt);
    if (length <= 0 || length > longestWords) return null;
    return this.#bytes(wordsAt + 4, Buffer.alloc(length), length);
  }

  /** Keeps what the file says now: nothing that is written later counts. */
  close(): void {
    if (this.#last !== null) return;
    const size = wordsAt + 4 + longestWords;
    this.#last = this.#bytes(0, Buffer.alloc(size), size);
    closeSync(this.fd);
  }

  /** What the slot says of the event that has it now; 0 = nothing. */
  #noted(slot: number): number {
    const noted = this.#bytes(slotsAt + slot * slotSize, this.#word, slotSize).readDoubleLE();
    return Math.abs(noted) >= (this.#sentAt[slot] as number) ? noted : 0;
  }

  #int(at: number): number {
    return this.#bytes(at, this.#word, 4).readInt32LE();
  }

  #bytes(at: number, into: Buffer, size: number): Buffer {
    if (this.#last !== null) return this.#last.subarray(at, at + size);
    readSync(this.fd, into, 0, size, at);
    return into;
  }
}
