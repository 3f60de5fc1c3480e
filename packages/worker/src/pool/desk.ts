import { monotonic } from '../thread/monotonic.ts';

const RETURNED = 0;
const GIVEN = 1;
const TAKEN = 2;
const WITHDRAWN = 3;
/** Numbers are used anew beyond this: with the state in front they must fit into 31 bits. */
const numbers = 2 ** 28;

/** Which call, and how far it is. */
const CALL = 0;
/** Handler functions that have been called and have not ended. */
const FUNCTIONS = 1;

/**
 * What a pool and one of its threads both know of the thread's call, in shared memory.
 *
 *   given ──the thread takes it──▶ taken ──its function has ended──▶ returned
 *     └────the pool takes it back──▶ withdrawn
 *
 * Of the two who want to decide exactly one does, however late their messages are: what is withdrawn never starts, and
 * a thread that has died tells whether it had begun.
 */
export class Desk {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #takenAt: Float64Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(16)) {
    this.buffer = buffer;
    this.#cells = new Int32Array(buffer, 0, 2);
    this.#takenAt = new Float64Array(buffer, 8, 1);
  }

  /** The pool: the thread may take this call. */
  give(number: number): void {
    Atomics.store(this.#cells, CALL, cell(number, GIVEN));
  }

  /** The pool: the thread may not take it any more. @returns false if it has */
  withdraw(number: number): boolean {
    Atomics.compareExchange(this.#cells, CALL, cell(number, GIVEN), cell(number, WITHDRAWN));
    return this.takenAt(number) === null;
  }

  /** The thread: begins with the call. @returns false if it may not any more */
  take(number: number): boolean {
    this.#takenAt[0] = monotonic();
    const given = cell(number, GIVEN);
    return Atomics.compareExchange(this.#cells, CALL, given, cell(number, TAKEN)) === given;
  }

  /** The pool: when the thread began with the call, in monotonic seconds; null if it hasn't. */
  takenAt(number: number): number | null {
    const at = Atomics.load(this.#cells, CALL);
    return at === cell(number, TAKEN) || at === cell(number, RETURNED) ? (this.#takenAt[0] as number) : null;
  }

  /** The pool: the call's function has ended; what may be left of it are the events that it has dispatched. */
  hasReturned(number: number): boolean {
    return Atomics.load(this.#cells, CALL) === cell(number, RETURNED);
  }

  /** The thread: the function of that call is called. */
  functionCalled(): void {
    Atomics.add(this.#cells, FUNCTIONS, 1);
  }

  /** The thread: it has ended, maybe long after the call. */
  functionEnded(number: number): void {
    Atomics.sub(this.#cells, FUNCTIONS, 1);
    Atomics.compareExchange(this.#cells, CALL, cell(number, TAKEN), cell(number, RETURNED));
  }

  /** The pool: so many functions have been called and have not ended. */
  get functions(): number {
    return Atomics.load(this.#cells, FUNCTIONS);
  }
}

function cell(number: number, state: number): number {
  return (number % numbers) * 4 + state;
}
