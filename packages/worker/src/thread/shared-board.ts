/**
 * A board in shared memory.
 *
 * Layout: Int32 [token, slot, kind, watched, born] and Float64 [startedAt, timeout] of the holder, then one Int32 for
 * each slot. A token of 0 means that no handler runs; it changes with every holder.
 */
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
} from './board.ts';

const timesAt = 24;
const slotsAt = 40;

/** Views of the same memory for both sides. */
class BoardMemory {
  readonly header: Int32Array;
  readonly times: Float64Array;
  readonly slots: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.header = new Int32Array(buffer, 0, 5);
    this.times = new Float64Array(buffer, timesAt, 2);
    this.slots = new Int32Array(buffer, slotsAt, slotCount);
  }
}

/** The side that sends events to the thread. */
export class SharedBoardReader implements BoardReader {
  readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(slotsAt + slotCount * 4);
  readonly #memory = new BoardMemory(this.buffer);

  clear(slot: number): void {
    if (hasSlot(slot)) Atomics.store(this.#memory.slots, slot, slotFree);
  }

  hasStarted(slot: number): boolean {
    return !hasSlot(slot) || Atomics.load(this.#memory.slots, slot) !== slotFree;
  }

  isRunning(slot: number): boolean {
    return hasSlot(slot) && Atomics.load(this.#memory.slots, slot) === slotRunning;
  }

  get born(): number {
    return Atomics.load(this.#memory.header, 4);
  }

  setWatched(watched: boolean): void {
    Atomics.store(this.#memory.header, 3, watched ? 1 : 0);
  }

  holder(): Holder | null {
    const { header, times } = this.#memory;
    const token = Atomics.load(header, 0);
    if (token === 0) return null;
    const [, slot = -1, kind = 0] = header;
    const [startedAt = 0, timeout = 0] = times;
    // The thread may have gone on to another handler while this was read.
    if (Atomics.load(header, 0) !== token) return null;
    return { token, slot, kind: holderKinds[kind] ?? 'other', startedAt, timeout };
  }
}

/** The thread's side. */
export class SharedBoardWriter implements BoardWriter {
  readonly #memory: BoardMemory;
  #token = 0;
  /** A handler is shown. */
  #held = false;

  constructor(buffer: SharedArrayBuffer) {
    this.#memory = new BoardMemory(buffer);
  }

  markStarted(slot: number): void {
    if (hasSlot(slot)) Atomics.compareExchange(this.#memory.slots, slot, slotFree, slotStarted);
  }

  markRunning(slot: number, isRunning: boolean): void {
    if (hasSlot(slot)) Atomics.store(this.#memory.slots, slot, isRunning ? slotRunning : slotStarted);
  }

  addBorn(count: 1 | -1): void {
    Atomics.add(this.#memory.header, 4, count);
  }

  hold(slot: number, kind: HolderKind, startedAt: number, timeout: number): boolean {
    const { header, times } = this.#memory;
    if (this.#held) Atomics.store(header, 0, 0);
    this.#held = true;
    header[1] = slot;
    header[2] = holderKinds.indexOf(kind);
    times[0] = startedAt;
    times[1] = timeout;
    this.#token = this.#token === 0x7fffffff ? 1 : this.#token + 1;
    Atomics.store(header, 0, this.#token);
    return Atomics.exchange(header, 3, 1) === 1;
  }

  release(): void {
    this.#held = false;
    Atomics.store(this.#memory.header, 0, 0);
  }
}
