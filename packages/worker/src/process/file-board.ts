/**
 * A board in a file that two processes have open and nobody else can: its name is gone before anything is written.
 *
 * What a process has written into a file outlives it, however it ends, and writing there never waits for the reader, as
 * it would for a pipe that is full. The pages of the file are the same memory for both: a write costs half a microsecond.
 *
 * Layout: Int32 [token, slot, kind, 0], Float64 [startedAt, timeout], Int32 [token, 0] of the holder, then Int32
 * [born, watched], an Int32 for each slot, and the last words of the process: their length and so many bytes. Reading
 * and writing are not one step: a holder counts only if the token is the same in front and behind.
 */
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newId } from '@threadbus/core/internal';
import {
  type BoardReader,
  type BoardWriter,
  hasSlot,
  type Holder,
  type HolderKind,
  holderKinds,
  slotCount,
  slotFree,
  slotRunning,
  slotStarted,
} from '../thread/board.ts';

const holderSize = 40;
const bornAt = 40;
const watchedAt = 44;
const slotsAt = 48;
const wordsAt = slotsAt + slotCount * 4;
/** Bytes of last words that are kept. */
const longestWords = 65_536;

function endOfSlots(): Buffer {
  return Buffer.alloc(wordsAt + 4);
}

/** This side of a process's board; it makes the file. */
export class FileBoardReader implements BoardReader {
  /** To be handed to the process. */
  readonly fd: number = openBoard();
  readonly #word = Buffer.alloc(4);
  readonly #holder = Buffer.alloc(holderSize);
  /** What the file said when it was closed. */
  #last: Buffer | null = null;

  clear(slot: number): void {
    if (hasSlot(slot)) this.#write(slotsAt + slot * 4, slotFree);
  }

  hasStarted(slot: number): boolean {
    return !hasSlot(slot) || this.#read(slotsAt + slot * 4) !== slotFree;
  }

  isRunning(slot: number): boolean {
    return hasSlot(slot) && this.#read(slotsAt + slot * 4) === slotRunning;
  }

  get born(): number {
    return this.#read(bornAt);
  }

  setWatched(watched: boolean): void {
    this.#write(watchedAt, watched ? 1 : 0);
  }

  holder(): Holder | null {
    const bytes = this.#bytes(0, this.#holder);
    const token = bytes.readInt32LE(0);
    // The process may be going on to another handler right now.
    if (token === 0 || token !== bytes.readInt32LE(32)) return null;
    return {
      token,
      slot: bytes.readInt32LE(4),
      kind: holderKinds[bytes.readInt32LE(8)] ?? 'other',
      startedAt: bytes.readDoubleLE(16),
      timeout: bytes.readDoubleLE(24),
    };
  }

  /** What the process has thrown and not caught, as it wrote it down; null if it had no time to. */
  get lastWords(): Buffer | null {
    const length = this.#read(wordsAt);
    if (length <= 0 || length > longestWords) return null;
    return this.#bytes(wordsAt + 4, Buffer.alloc(length));
  }

  /** Keeps what the file says now: nothing that is written later counts. */
  close(): void {
    if (this.#last !== null) return;
    this.#last = this.#bytes(0, Buffer.alloc(wordsAt + 4 + longestWords));
    closeSync(this.fd);
  }

  #read(at: number): number {
    return this.#bytes(at, this.#word).readInt32LE();
  }

  #bytes(at: number, into: Buffer): Buffer {
    if (this.#last !== null) return this.#last.subarray(at, at + into.length);
    readSync(this.fd, into, 0, into.length, at);
    return into;
  }

  #write(at: number, value: number): void {
    if (this.#last !== null) return;
    this.#word.writeInt32LE(value);
    writeSync(this.fd, this.#word, 0, 4, at);
  }
}

/** The process's side. */
export class FileBoardWriter implements BoardWriter {
  readonly #fd: number;
  readonly #word = Buffer.alloc(4);
  readonly #holder = Buffer.alloc(holderSize);
  #token = 0;
  #born = 0;

  constructor(fd: number) {
    this.#fd = fd;
  }

  markStarted(slot: number): void {
    if (hasSlot(slot) && this.#read(slotsAt + slot * 4) === slotFree) this.#write(slotsAt + slot * 4, slotStarted);
  }

  markRunning(slot: number, isRunning: boolean): void {
    if (hasSlot(slot)) this.#write(slotsAt + slot * 4, isRunning ? slotRunning : slotStarted);
  }

  addBorn(count: 1 | -1): void {
    this.#born += count;
    this.#write(bornAt, this.#born);
  }

  hold(slot: number, kind: HolderKind, startedAt: number, timeout: number): boolean {
    this.#token = this.#token === 0x7fffffff ? 1 : this.#token + 1;
    const holder = this.#holder;
    holder.writeInt32LE(this.#token, 0);
    holder.writeInt32LE(slot, 4);
    holder.writeInt32LE(holderKinds.indexOf(kind), 8);
    holder.writeDoubleLE(startedAt, 16);
    holder.writeDoubleLE(timeout, 24);
    holder.writeInt32LE(this.#token, 32);
    writeSync(this.#fd, holder, 0, holderSize, 0);
    const watched = this.#read(watchedAt) === 1;
    if (!watched) this.#write(watchedAt, 1);
    return watched;
  }

  release(): void {
    this.#write(0, 0);
  }

  /** Leaves word of why the process ends. @returns false if that was too long */
  leaveWords(bytes: Buffer): boolean {
    if (bytes.length > longestWords) return false;
    writeSync(this.#fd, bytes, 0, bytes.length, wordsAt + 4);
    this.#write(wordsAt, bytes.length);
    return true;
  }

  #read(at: number): number {
    readSync(this.#fd, this.#word, 0, 4, at);
    return this.#word.readInt32LE();
  }

  #write(at: number, value: number): void {
    this.#word.writeInt32LE(value);
    writeSync(this.#fd, this.#word, 0, 4, at);
  }
}

/** A file without a name, all zeros. In memory where the system has a place for that, else where temporary files are. */
function openBoard(): number {
  let failure: unknown;
  for (const folder of ['/dev/shm', tmpdir()]) {
    const path = join(folder, `threadbus-board-${newId()}`);
    try {
      const fd = openSync(path, 'wx+', 0o600);
      try {
        unlinkSync(path);
        writeSync(fd, endOfSlots(), 0, wordsAt + 4, 0);
        return fd;
      } catch (error) {
        closeSync(fd);
        throw error;
      }
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
