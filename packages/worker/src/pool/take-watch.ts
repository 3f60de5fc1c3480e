import { startTimer } from '@threadbus/core/internal';
import { Desk } from './desk.ts';
import { monotonic } from '../thread/monotonic.ts';
import type { PoolCall } from './pool-call.ts';

/** Seconds for a thread to take a call that it was given, or to answer a ping. */
export const takeTime = 1;
/** The same for a thread in which functions of ended handlers go on. */
const shortTime = 0.2;
/** Seconds after which it is first looked whether a call was taken: most have been answered by then. */
const firstLook = 0.005;

/**
 * Whether a thread takes its calls.
 *
 * It says so in shared memory: a message would cost more than all the rest of a short call. So it is looked, with one
 * timer for many calls, at growing distances.
 */
export class TakeWatch {
  readonly #desk = new Desk();
  readonly #overdue: (call: PoolCall) => boolean;
  #call: PoolCall | null = null;
  /** Of the last call that was given. */
  #number = 0;
  #givenAt = 0;
  #looking = false;

  /** @param overdue told of a call that was not taken in time; says whether the thread was ended for it */
  constructor(overdue: (call: PoolCall) => boolean) {
    this.#overdue = overdue;
  }

  get buffer(): SharedArrayBuffer {
    return this.#desk.buffer;
  }

  /** When the last call was taken, in monotonic seconds; null if it wasn't. */
  get takenAt(): number | null {
    return this.#desk.takenAt(this.#number);
  }

  /** The function of the last call has ended: only events that it has dispatched are waited for. */
  get hasReturned(): boolean {
    return this.#desk.hasReturned(this.#number);
  }

  /** Functions of handlers that were ended go on in the thread; asked while it has no call, or one that isn't taken. */
  get hasLeftovers(): boolean {
    return this.#desk.functions > 0;
  }

  /** The function of the last call is not all that goes on in the thread, if it does at all. */
  get hasMore(): boolean {
    return this.hasReturned || this.#desk.functions > 1;
  }

  /** How long it may take the thread to react. */
  get patience(): number {
    return this.hasLeftovers ? shortTime : takeTime;
  }

  /** The thread may take that call from now on. @returns under which number */
  give(call: PoolCall): number {
    this.#number += 1;
    this.#desk.give(this.#number);
    this.#call = call;
    this.#givenAt = monotonic();
    if (!this.#looking) this.#lookIn(firstLook);
    return this.#number;
  }

  /** The last call has nothing more to wait for. */
  done(): void {
    this.#call = null;
  }

  /** The thread may not take the last call any more. @returns false if it has */
  withdraw(): boolean {
    return this.#desk.withdraw(this.#number);
  }

  /** Tells the call if it was taken. */
  look(): void {
    const { takenAt } = this;
    if (takenAt !== null && this.#call?.state === 'given') this.#call.take(takenAt);
  }

  #lookIn(seconds: number): void {
    this.#looking = true;
    const due = monotonic() + seconds;
    startTimer(
      seconds,
      () => {
        this.#looking = false;
        // Time in which this thread was blocked, or the process stopped, is not held against the other.
        this.#givenAt += Math.max(0, monotonic() - due);
        this.#judge();
      },
      false,
    );
  }

  #judge(): void {
    this.look();
    const call = this.#call;
    if (call?.state !== 'given') return;
    const waited = monotonic() - this.#givenAt;
    const left = this.patience - waited;
    if (left > 0) this.#lookIn(Math.min(Math.max(firstLook, waited), left));
    else if (!this.#overdue(call)) this.#lookIn(takeTime);
  }
}
