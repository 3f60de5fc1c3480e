import { liveness } from '../basics/thread-liveness.ts';
import { selfIdentity } from '../basics/thread-identity.ts';

// What all threads of the process share, in 32-bit words:
//
//   header     [0] magic  [1..2] id of this memory  [3] first word that is not in use yet
//   threads    [0] owner  [1] mailbox  [2..3] tid  [4..5] start  [6] descriptor
//   names      [0] state  [1..4] hash of the name  [5] limit  [6] where its semaphore lies
//   semaphores see shared-semaphore.ts
//
// A thread may be terminated between any two instructions. So every change is either one atomic store or exchange, or
// is made by an owner whose death others can prove: a word is `threadId + 1` if that thread owns it, `-(threadId + 1)`
// while that thread fills in the words behind it, and 0 if nobody does. Node never gives a threadId out twice.

const MAGIC = 0x7b50_0001;
const FREE_WORD = 3;
const HEADER = 8;
const THREAD_WORDS = 8;
const THREADS = 1024;
const NAME_WORDS = 8;
const NAMES = 8192;
const NAMES_AT = HEADER + THREADS * THREAD_WORDS;
const SEMAPHORES_AT = NAMES_AT + NAMES * NAME_WORDS;
/** Pages that nobody touches take no memory: a process with a few semaphores uses a few kB of it. */
const BYTES = 16 * 1024 * 1024;

const NAME_READY = 0x7fff_ffff;

export const ownerWord = (threadId: number): number => threadId + 1;
export const ownerThread = (word: number): number => Math.abs(word) - 1;

export class SharedMemory {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly #numbers: Float64Array;

  private constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.words = new Int32Array(buffer);
    this.#numbers = new Float64Array(buffer);
  }

  /** @param id 16 hex digits */
  static create(id: string): SharedMemory {
    const memory = new SharedMemory(new SharedArrayBuffer(BYTES));
    Buffer.from(memory.buffer).write(id, 4, 8, 'hex');
    memory.words[FREE_WORD] = SEMAPHORES_AT;
    memory.words[0] = MAGIC;
    return memory;
  }

  /** @returns `undefined` if it is no memory of this version */
  static from(buffer: unknown): SharedMemory | undefined {
    if (!(buffer instanceof SharedArrayBuffer) || buffer.byteLength !== BYTES) return undefined;
    const memory = new SharedMemory(buffer);
    return memory.words[0] === MAGIC ? memory : undefined;
  }

  get id(): string {
    return Buffer.from(this.buffer, 4, 8).toString('hex');
  }

  /** Enters this thread, so that others can wake it and tell whether it lives. @returns `undefined` if there is no room */
  enterThread(): { mailbox: number } | undefined {
    const { threadId, tid, start, fd } = selfIdentity();
    const own = ownerWord(threadId);
    // Another copy of this package has entered it already.
    const known = this.#record(threadId);
    if (known !== undefined) return { mailbox: known + 1 };
    for (let at = HEADER; at < NAMES_AT; at += THREAD_WORDS) {
      const previous = Atomics.load(this.words, at);
      // A record that its thread died over while it filled it in says nothing about anyone; it can't be judged either.
      if (previous < 0 || (previous > 0 && !this.#isRecordDead(at))) continue;
      if (Atomics.compareExchange(this.words, at, previous, -own) !== previous) continue;
      this.#numbers[(at + 2) / 2] = tid;
      this.#numbers[(at + 4) / 2] = start;
      this.words[at + 6] = fd;
      Atomics.store(this.words, at + 1, 0);
      Atomics.store(this.words, at, own);
      return { mailbox: at + 1 };
    }
    return undefined;
  }

  /** A thread without a record has ended: it entered before it owned anything, and only the dead are overwritten. */
  isThreadDead(threadId: number): boolean {
    const at = this.#record(threadId);
    return at === undefined || this.#isRecordDead(at);
  }

  wakeThread(threadId: number): void {
    const at = this.#record(threadId);
    if (at === undefined) return;
    Atomics.add(this.words, at + 1, 1);
    Atomics.notify(this.words, at + 1);
  }

  /**
   * Finds a semaphore, or makes it.
   *
   * @returns where it lies and the limit it has; `undefined` if there is no room for another one
   */
  semaphore(hash: Buffer, limit: number, words: number): { at: number; limit: number } | undefined {
    const own = -ownerWord(selfIdentity().threadId);
    const key = [0, 4, 8, 12].map((offset) => hash.readInt32LE(offset));
    const first = hash.readUInt32LE(16) % NAMES;
    for (let i = 0; i < NAMES; i++) {
      const at = NAMES_AT + ((first + i) % NAMES) * NAME_WORDS;
      if (this.#claimName(at, own)) return this.#addSemaphore(at, key, limit, words);
      if (key.every((word, k) => this.words[at + 1 + k] === word)) {
        return { at: this.words[at + 6] ?? 0, limit: this.words[at + 5] ?? 0 };
      }
    }
    return undefined;
  }

  /** @returns true: the place is ours to fill in; false: it has a name */
  #claimName(at: number, own: number): boolean {
    for (;;) {
      const state = Atomics.load(this.words, at);
      if (state === NAME_READY) return false;
      const abandoned = state !== 0 && this.isThreadDead(ownerThread(state));
      if ((state === 0 || abandoned) && Atomics.compareExchange(this.words, at, state, own) === state) return true;
      // Someone else is about to fill it in: a few stores, done within microseconds unless its thread dies.
      if (state !== 0 && !abandoned) Atomics.wait(this.words, at, state, 1);
    }
  }

  #addSemaphore(
    at: number,
    key: readonly number[],
    limit: number,
    words: number,
  ): { at: number; limit: number } | undefined {
    const place = Atomics.add(this.words, FREE_WORD, words);
    if (place + words > this.words.length) {
      Atomics.sub(this.words, FREE_WORD, words);
      Atomics.store(this.words, at, 0);
      return undefined;
    }
    this.words.set([...key, limit, place], at + 1);
    Atomics.store(this.words, at, NAME_READY);
    Atomics.notify(this.words, at);
    return { at: place, limit };
  }

  #record(threadId: number): number | undefined {
    const own = ownerWord(threadId);
    for (let at = HEADER; at < NAMES_AT; at += THREAD_WORDS) {
      const word = Atomics.load(this.words, at);
      if (word === own) return at;
      // Places are taken from the front, and never given back.
      if (word === 0) return undefined;
    }
    return undefined;
  }

  #isRecordDead(at: number): boolean {
    const { boot, namespace, pid } = selfIdentity();
    const threadId = ownerThread(Atomics.load(this.words, at));
    const [tid = 0, start = 0, fd = 0] = [this.#numbers[(at + 2) / 2], this.#numbers[(at + 4) / 2], this.words[at + 6]];
    // A thread with a descriptor is one that sees no /proc.
    return liveness({ boot: fd < 0 ? boot : '', namespace, pid, tid, start, threadId, fd }) === 'dead';
  }
}
