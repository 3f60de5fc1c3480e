import { monotonic } from '../thread/monotonic.ts';

/** 0, as all cells are at first: of no call it may be read that it was taken. */
const WITHDRAWN = 0;
const GIVEN = 1;
const TAKEN = 2;
const RETURNED = 3;
/** Numbers are used anew beyond this: with the state in front they must fit into 31 bits. */
const numbers = 2 ** 28;

/** Handler functions that have been called and have not ended. */
const FUNCTIONS = 0;
/** 1 while an answer waits for what was printed before it. */
const GATE = 1;
/** From here on a cell for each call: which one, and how far it is. */
const CALLS = 2;
/** So many calls, by their numbers one after the other, are known at a time: a later one takes the cell of the earliest. */
export const deskSize = 64;
/** Where the times begin, in bytes. */
const timesAt = (CALLS + deskSize) * 4;

/**
 * What a pool and one of its threads both know of the calls that the thread was given, in shared memory.
 *
 *   given ──the thread takes it──▶ taken ──its function has ended, and its answer is written or waits──▶ returned
 *     └────the pool takes it back──▶ withdrawn
 *
 * Each call has its own cell: those that were given ahead of their turn are decided upon as the first one is. Of the two
 * who want to decide exactly one does, however late their messages are: what is withdrawn never starts, and a thread that
 * has died tells whether it had begun.
 */
export class Desk {
  readonly buffer: SharedArrayBuffer;
  readonly #cells: Int32Array;
  readonly #takenAt: Float64Array;

  constructor(buffer: SharedArrayBuffer = new SharedArrayBuffer(timesAt + deskSize * 8)) {
    this.buffer = buffer;
    this.#cells = new Int32Array(buffer, 0, CALLS + deskSize);
    this.#takenAt = new Float64Array(buffer, timesAt, deskSize);
  }

  /** The pool: the thread may take this call. */
  give(number: number): void {
    Atomics.store(this.#cells, placeOf(number), cell(number, GIVEN));
  }

  /** The pool: the thread may not take it any more. @returns false if it has */
  withdraw(number: number): boolean {
    Atomics.compareExchange(this.#cells, placeOf(number), cell(number, GIVEN), cell(number, WITHDRAWN));
    return this.takenAt(number) === null;
  }

  /** The thread: begins with the call. @returns false if it may not any more */
  take(number: number): boolean {
    const given = cell(number, GIVEN);
    this.#takenAt[number % deskSize] = monotonic();
    return Atomics.compareExchange(this.#cells, placeOf(number), given, cell(number, TAKEN)) === given;
  }

  /** The pool: when the thread began with the call, in monotonic seconds; null if it hasn't. */
  takenAt(number: number): number | null {
    const at = Atomics.load(this.#cells, placeOf(number));
    const isTaken = at === cell(number, TAKEN) || at === cell(number, RETURNED);
    return isTaken ? (this.#takenAt[number % deskSize] as number) : null;
  }

  /** The pool: the call's function has ended; what may be left of it are the events that it has dispatched, and its way here. */
  hasReturned(number: number): boolean {
    return Atomics.load(this.#cells, placeOf(number)) === cell(number, RETURNED);
  }

  /** The thread: the function of that call is called. */
  functionCalled(): void {
    Atomics.add(this.#cells, FUNCTIONS, 1);
  }

  /** The thread: it has ended, maybe long after the call. */
  functionEnded(): void {
    Atomics.sub(this.#cells, FUNCTIONS, 1);
  }

  /** The thread: what the function of that call gives is written, or has to wait. */
  returned(number: number): void {
    Atomics.compareExchange(this.#cells, placeOf(number), cell(number, TAKEN), cell(number, RETURNED));
  }

  /** The thread: its answer waits, or doesn't any more: it has nothing else to do. */
  hold(waits: boolean): void {
    Atomics.store(this.#cells, GATE, waits ? 1 : 0);
  }

  /** The pool: an answer waits in the thread. */
  get holds(): boolean {
    return Atomics.load(this.#cells, GATE) === 1;
  }

  /** The pool: so many functions have been called and have not ended. */
  get functions(): number {
    return Atomics.load(this.#cells, FUNCTIONS);
  }
}

function placeOf(number: number): number {
  return CALLS + (number % deskSize);
}

function cell(number: number, state: number): number {
  return (number % numbers) * 4 + state;
}
