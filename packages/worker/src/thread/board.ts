/**
 * Shared memory in which a thread shows what it works on, so that the other side can see it when the thread can't
 * answer any more: which of the events sent to it have started, and which handler it is running since when.
 *
 * An event's slot is its number on the link, while it has one.
 *
 * Layout: Int32 [token, slot, kind, watched, born] and Float64 [startedAt, timeout] of the holder, then one Int32 for
 * each slot. A token of 0 means that no handler runs; it changes with every holder. Each thread has a board of its own.
 */
const slotCount = 4096;
const timesAt = 24;
const slotsAt = 40;

const started = 1;
const running = 2;

function exists(slot: number): boolean {
  return slot >= 0 && slot < slotCount;
}

/** The handler that a thread is running, or the last of several that must overrun before one of them surely has. */
export interface Holder {
  /** Differs from that of every other holder. */
  readonly token: number;
  /** Slot of the event, or of the event from which it descends; -1 = none. */
  readonly slot: number;
  /** How the handler's event is related to that of the slot. */
  readonly kind: HolderKind;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Seconds; 0 = none. */
  readonly timeout: number;
}

/**
 * The holder's event is the one in the slot; or a descendant that is awaited for it; or one that goes on without it; or
 * several handlers are in progress and any of them may be the one that blocks.
 */
export type HolderKind = 'own' | 'awaited' | 'other' | 'several';

const kinds: readonly HolderKind[] = ['own', 'awaited', 'other', 'several'];

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
export class BoardReader {
  readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(slotsAt + slotCount * 4);
  readonly #memory = new BoardMemory(this.buffer);

  /** The slot is to be used for another event. */
  clear(slot: number): void {
    if (exists(slot)) Atomics.store(this.#memory.slots, slot, 0);
  }

  /** An event for which there is no slot is taken for one that may have. */
  hasStarted(slot: number): boolean {
    return !exists(slot) || Atomics.load(this.#memory.slots, slot) !== 0;
  }

  /** A handler of the event is in progress and doesn't await another event. */
  isRunning(slot: number): boolean {
    return exists(slot) && Atomics.load(this.#memory.slots, slot) === running;
  }

  /** Events in progress in the thread that were dispatched there. */
  get born(): number {
    return Atomics.load(this.#memory.header, 4);
  }

  /** Tells the thread whether someone looks at the board; if nobody does, it says so when it starts a handler. */
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
    return { token, slot, kind: kinds[kind] ?? 'other', startedAt, timeout };
  }
}

/** The thread's side. */
export class BoardWriter {
  readonly #memory: BoardMemory;
  #token = 0;

  constructor(buffer: SharedArrayBuffer) {
    this.#memory = new BoardMemory(buffer);
  }

  markStarted(slot: number): void {
    if (exists(slot)) Atomics.compareExchange(this.#memory.slots, slot, 0, started);
  }

  markRunning(slot: number, isRunning: boolean): void {
    if (exists(slot)) Atomics.store(this.#memory.slots, slot, isRunning ? running : started);
  }

  addBorn(count: 1 | -1): void {
    Atomics.add(this.#memory.header, 4, count);
  }

  /** @returns whether someone watches; asked after `hold`, so that one of both sides always notices the other */
  hold(slot: number, kind: HolderKind, startedAt: number, timeout: number): boolean {
    const { header, times } = this.#memory;
    Atomics.store(header, 0, 0);
    header[1] = slot;
    header[2] = kinds.indexOf(kind);
    times[0] = startedAt;
    times[1] = timeout;
    this.#token = this.#token === 0x7fffffff ? 1 : this.#token + 1;
    Atomics.store(header, 0, this.#token);
    return Atomics.exchange(header, 3, 1) === 1;
  }

  release(): void {
    Atomics.store(this.#memory.header, 0, 0);
  }
}
