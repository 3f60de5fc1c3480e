/**
 * Shared memory in which a thread shows what it works on, so that the other side can see it when the thread can't
 * answer any more: which of the events sent to it have started, and which handler holds the bus's slot since when.
 *
 * Layout: Int32 [token, slot, own] and Float64 [startedAt, timeout] of the holder, then one Int32 for each slot.
 * A token of 0 means that no handler runs; it changes with every holder.
 */
const slotCount = 4096;
const headerBytes = 32;

/** The handler that a thread is running. */
export interface Holder {
  /** Differs from that of every other holder. */
  readonly token: number;
  /** Slot of the event, or of the event from which it descends; -1 = none. */
  readonly slot: number;
  /** The event itself has the slot. */
  readonly own: boolean;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  /** Seconds; 0 = none. */
  readonly timeout: number;
}

/** Views of the same memory for both sides. */
class BoardMemory {
  readonly holder: Int32Array;
  readonly times: Float64Array;
  readonly started: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.holder = new Int32Array(buffer, 0, 3);
    this.times = new Float64Array(buffer, 16, 2);
    this.started = new Int32Array(buffer, headerBytes, slotCount);
  }
}

/** The side that sends events to the thread. */
export class BoardReader {
  readonly buffer: SharedArrayBuffer = new SharedArrayBuffer(headerBytes + slotCount * 4);
  readonly #memory = new BoardMemory(this.buffer);
  readonly #free: number[] = [];
  #unused = 0;

  /** A slot for an event; -1 when all are taken, which is taken for "may have started". */
  allocate(): number {
    const slot = this.#free.pop() ?? (this.#unused < slotCount ? this.#unused++ : -1);
    if (slot >= 0) Atomics.store(this.#memory.started, slot, 0);
    return slot;
  }

  release(slot: number): void {
    if (slot >= 0) this.#free.push(slot);
  }

  hasStarted(slot: number): boolean {
    return slot < 0 || Atomics.load(this.#memory.started, slot) === 1;
  }

  holder(): Holder | null {
    const { holder, times } = this.#memory;
    const token = Atomics.load(holder, 0);
    if (token === 0) return null;
    const [, slot = -1, own = 0] = holder;
    const [startedAt = 0, timeout = 0] = times;
    // The thread may have gone on to another handler while this was read.
    return Atomics.load(holder, 0) === token ? { token, slot, own: own === 1, startedAt, timeout } : null;
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
    if (slot >= 0) Atomics.store(this.#memory.started, slot, 1);
  }

  hold({ slot, own, startedAt, timeout }: Omit<Holder, 'token'>): void {
    const { holder, times } = this.#memory;
    Atomics.store(holder, 0, 0);
    holder[1] = slot;
    holder[2] = own ? 1 : 0;
    times[0] = startedAt;
    times[1] = timeout;
    this.#token = this.#token === 0x7fffffff ? 1 : this.#token + 1;
    Atomics.store(holder, 0, this.#token);
  }

  release(): void {
    Atomics.store(this.#memory.holder, 0, 0);
  }
}
