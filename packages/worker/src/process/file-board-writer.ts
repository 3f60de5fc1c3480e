import { readSync, writeSync } from 'node:fs';
import { type BoardWriter, hasSlot, type HolderKind, holderKinds, slotCount } from '../thread/board.ts';
import { monotonic } from '../thread/monotonic.ts';
import { holderAt, holderFields as field, longestWords, slotsAt, slotSize, watchedAt, wordsAt } from './board-file.ts';

/** Where the slots begin in what this side writes. */
const ownSlots = slotsAt - holderAt;
/** Bytes that are written again rather than with a call of their own. */
const cheap = 2048;
const none = -1;

/**
 * The process's side of its board.
 *
 * It has all that it writes in memory too. Marks of running handlers wait there for the `hold` or `release` that follows
 * them at once, and go out with it.
 */
export class FileBoardWriter implements BoardWriter {
  readonly #fd: number;
  readonly #own = Buffer.alloc(ownSlots + slotCount * slotSize);
  readonly #word = Buffer.alloc(4);
  #token = 0;
  /** The slots that have changed and were not written lie from the one to the other. */
  #firstChanged = none;
  #lastChanged = none;

  constructor(fd: number) {
    this.#fd = fd;
  }

  markStarted(slot: number): void {
    if (!hasSlot(slot)) return;
    this.#note(slot, this.#own.readDoubleLE(ownSlots + slot * slotSize) < 0);
    this.#writeSlots();
  }

  markRunning(slot: number, isRunning: boolean): void {
    if (hasSlot(slot)) this.#note(slot, isRunning);
  }

  addBorn(count: 1 | -1): void {
    this.#setInt(field.born, this.#own.readInt32LE(field.born) + count);
  }

  /** So many lines for logs are not written. */
  setUnwritten(lines: number): void {
    this.#setInt(field.unwritten, lines);
  }

  hold(slot: number, kind: HolderKind, startedAt: number, timeout: number): boolean {
    this.#token = this.#token === 0x7fffffff ? 1 : this.#token + 1;
    const own = this.#own;
    own.writeInt32LE(slot, field.slot);
    own.writeInt32LE(holderKinds.indexOf(kind), field.kind);
    own.writeDoubleLE(startedAt, field.startedAt);
    own.writeDoubleLE(timeout, field.timeout);
    this.#writeHolder(this.#token);
    // The other side watches for as long as it has an event here that isn't answered.
    if (slot >= 0) return true;
    const word = this.#word;
    readSync(this.#fd, word, 0, 4, watchedAt);
    if (word.readInt32LE() === 1) return true;
    word.writeInt32LE(1);
    writeSync(this.#fd, word, 0, 4, watchedAt);
    return false;
  }

  release(): void {
    this.#writeHolder(0);
  }

  /** Leaves word of why the process ends. @returns false if that was too long */
  leaveWords(bytes: Buffer): boolean {
    if (bytes.length > longestWords) return false;
    writeSync(this.#fd, bytes, 0, bytes.length, wordsAt + 4);
    this.#word.writeInt32LE(bytes.length);
    writeSync(this.#fd, this.#word, 0, 4, wordsAt);
    return true;
  }

  #note(slot: number, isRunning: boolean): void {
    const at = monotonic() * 1000;
    this.#own.writeDoubleLE(isRunning ? -at : at, ownSlots + slot * slotSize);
    if (this.#firstChanged === none || slot < this.#firstChanged) this.#firstChanged = slot;
    if (slot > this.#lastChanged) this.#lastChanged = slot;
  }

  #setInt(at: number, value: number): void {
    this.#own.writeInt32LE(value, at);
    this.#write(at, at + 4);
  }

  /** And all marks that are not written. */
  #writeHolder(token: number): void {
    this.#own.writeInt32LE(token, field.token);
    this.#own.writeInt32LE(token, field.tokenAgain);
    let end = ownSlots;
    if (this.#lastChanged !== none) {
      const endOfChanges = ownSlots + (this.#lastChanged + 1) * slotSize;
      if (endOfChanges <= cheap) {
        end = endOfChanges;
        this.#firstChanged = this.#lastChanged = none;
      } else this.#writeSlots();
    }
    this.#write(0, end);
  }

  #writeSlots(): void {
    if (this.#firstChanged === none) return;
    this.#write(ownSlots + this.#firstChanged * slotSize, ownSlots + (this.#lastChanged + 1) * slotSize);
    this.#firstChanged = this.#lastChanged = none;
  }

  #write(from: number, to: number): void {
    writeSync(this.#fd, this.#own, from, to - from, holderAt + from);
  }
}
