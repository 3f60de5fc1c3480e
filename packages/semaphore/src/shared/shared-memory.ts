import { atExit } from '../basics/exit-cleanup.ts';
import { machineTime } from '../basics/machine-time.ts';
import { selfIdentity } from '../basics/thread-identity.ts';
import { livenessInProcess } from '../basics/thread-liveness.ts';
import { BYTES, MAGIC, ownerThread, ownerWord, THREAD_WORDS, THREADS_AT, THREADS_END } from './shared-layout.ts';

/** The owner of a thread's record whose thread has said that it ends. */
const ENDED = -0x7fff_ffff;

/** A moment may be so many ms ahead: a word is odd, and the clock may be set back. What is further ahead is seven weeks ago. */
const slack = 3_600_000;

/** Bits of the header: the main thread has the memory; a rate counts in it. */
const STAYS = 1;
const RATES = 2;

/** The memory that all threads of the process share, and the threads that use it. */
export class SharedMemory {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  /** The same memory, for times. */
  readonly numbers: Float64Array;
  /** When it was made, in ms since 1970; what is shorter is counted from then. */
  readonly #began: number;

  private constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.words = new Int32Array(buffer);
    this.numbers = new Float64Array(buffer);
    this.#began = this.numbers[3] ?? 0;
  }

  /**
   * @param id 16 hex digits
   * @param isFirst no other was lost with its threads
   */
  static create(id: string, isFirst: boolean): SharedMemory {
    const buffer = new SharedArrayBuffer(BYTES);
    Buffer.from(buffer).write(id, 8, 8, 'hex');
    const numbers = new Float64Array(buffer);
    numbers[2] = isFirst ? 0 : machineTime();
    numbers[3] = Date.now();
    new Int32Array(buffer)[0] = MAGIC;
    return new SharedMemory(buffer);
  }

  /** @returns `undefined` if it is no memory of this version */
  static from(buffer: unknown): SharedMemory | undefined {
    if (!(buffer instanceof SharedArrayBuffer) || buffer.byteLength !== BYTES) return undefined;
    const memory = new SharedMemory(buffer);
    return memory.words[0] === MAGIC ? memory : undefined;
  }

  get id(): string {
    return Buffer.from(this.buffer, 8, 8).toString('hex');
  }

  /** Until when a start that nobody knows of any more may have been, in µs of the machine's clock; 0: there was none. */
  get lostBefore(): number {
    return this.numbers[2] ?? 0;
  }

  /** The main thread has it. */
  staysWithProcess(): void {
    Atomics.or(this.words, 1, STAYS);
  }

  /** To be called before the first start that is entered. */
  countsRates(): void {
    if (((this.words[1] ?? 0) & RATES) === 0) Atomics.or(this.words, 1, RATES);
  }

  /** If the threads that have it end before the process does, somebody must know that it was there. */
  get isRemembered(): boolean {
    return Atomics.load(this.words, 1) === RATES;
  }

  /** Enters this thread, so that others can wake it and tell whether it lives. @returns `undefined` if there is no room */
  enterThread(): { mailbox: number } | undefined {
    const { threadId, tid, start, fd } = selfIdentity();
    const own = ownerWord(threadId);
    // Another copy of this package has entered it already.
    const known = this.#record(threadId);
    if (known !== undefined) return { mailbox: known + 1 };
    for (let at = THREADS_AT; at < THREADS_END; at += THREAD_WORDS) {
      const previous = Atomics.load(this.words, at);
      // A record that its thread died over while it filled it in says nothing about anyone; it can't be judged either.
      if (previous < 0 && previous !== ENDED) continue;
      if (previous > 0 && !this.#isRecordDead(at)) continue;
      if (Atomics.compareExchange(this.words, at, previous, -own) !== previous) continue;
      this.numbers[(at + 2) / 2] = tid;
      this.numbers[(at + 4) / 2] = start;
      this.words[at + 6] = fd;
      Atomics.store(this.words, at + 1, 0);
      Atomics.store(this.words, at, own);
      atExit(() => Atomics.compareExchange(this.words, at, own, ENDED));
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

  /** Shows that this thread's loop turns. */
  turn(mailbox: number): void {
    Atomics.add(this.words, mailbox + 6, 1);
  }

  /** Changes as long as the thread's loop turns. */
  turnsOf(threadId: number): number {
    const at = this.#record(threadId);
    return at === undefined ? 0 : Atomics.load(this.words, at + 7);
  }

  /** A moment as a word that is not 0; it runs over after seven weeks. */
  packTime(ms: number): number {
    return (ms - this.#began) | 1;
  }

  /** The moment, in ms since 1970: the last one that {@link packTime} gives that word for, but for the clock's `slack`. */
  unpackTime(word: number): number {
    const now = Date.now();
    return now + slack - ((((now + slack - this.#began) | 0) - word) >>> 0);
  }

  #record(threadId: number): number | undefined {
    const own = ownerWord(threadId);
    for (let at = THREADS_AT; at < THREADS_END; at += THREAD_WORDS) {
      const word = Atomics.load(this.words, at);
      if (word === own) return at;
      // Places are taken from the front, and never given back.
      if (word === 0) return undefined;
    }
    return undefined;
  }

  #isRecordDead(at: number): boolean {
    const { boot, namespace, pid } = selfIdentity();
    const word = Atomics.load(this.words, at);
    if (word === ENDED) return true;
    const [tid = 0, start = 0, fd = 0] = [this.numbers[(at + 2) / 2], this.numbers[(at + 4) / 2], this.words[at + 6]];
    return livenessInProcess({ boot, namespace, pid, tid, start, threadId: ownerThread(word), fd }) === 'dead';
  }
}
