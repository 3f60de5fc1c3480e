import { startTimer } from '@threadbus/core/internal';
import { monotonic } from '../thread/monotonic.ts';
import { Desk, deskSize } from './desk.ts';
import type { PoolCall } from './pool-call.ts';
import { horizon } from './run-times.ts';
import type { ThreadClock } from './thread-clock.ts';
import { blockedError } from './thread-errors.ts';

/** Seconds for a thread to take a call that it was given, or to answer a ping. */
export const takeTime = 1;
/** The same for a thread in which functions of ended handlers go on. */
const shortTime = 0.2;
/** Seconds after which it is first looked whether a call was taken: most have been answered by then. */
const firstLook = 0.005;

/** Whose calls they are. */
export interface TakeWatchOwner {
  /** What it was given. */
  readonly calls: { readonly ahead: number };
  /** The call whose turn it is has taken so many seconds. @returns whether those behind it go elsewhere now */
  slow(waited: number): boolean;
  /** There is nothing to look at any more. */
  quiet(): void;
  /** The answer of that call is there and waits for what was printed: told again and again until it comes. */
  held(call: PoolCall): void;
}

/**
 * Whether a thread takes its calls, each when it is its turn, whether those behind it wait for it too long, and whether
 * an answer is held up there: something else may block the thread by then.
 *
 * It says so in shared memory: a message would cost more than all the rest of a short call. So it is looked, with one
 * timer for many calls, at growing distances.
 */
export class TakeWatch {
  readonly #desk = new Desk();
  readonly #owner: TakeWatchOwner;
  readonly #clock: ThreadClock;
  /** Whose turn it is. */
  #call: PoolCall | null = null;
  /** Of the last call that was given. */
  #number = 0;
  #turnAt = 0;
  #looking = false;

  /** @param clock ends the thread that doesn't */
  constructor(owner: TakeWatchOwner, clock: ThreadClock) {
    this.#owner = owner;
    this.#clock = clock;
  }

  get buffer(): SharedArrayBuffer {
    return this.#desk.buffer;
  }

  /** It is looked again before long, or `quiet` is told. */
  get looking(): boolean {
    return this.#looking;
  }

  /** When the call was taken, in monotonic seconds; null if it wasn't. */
  takenAt({ number }: PoolCall): number | null {
    return this.#desk.takenAt(number);
  }

  /** The call's function has ended: only events that it has dispatched are waited for. */
  hasReturned({ number }: PoolCall): boolean {
    return this.#desk.hasReturned(number);
  }

  /** There is a cell on the desk for a further call, and it won't wait long, as things look. */
  get hasRoom(): boolean {
    if (this.#call === null || this.#number - this.#call.number >= deskSize - 1) return false;
    return monotonic() - this.#turnAt < horizon;
  }

  /** Functions of handlers that were ended go on in the thread; asked while it has no call, or one that isn't taken. */
  get hasLeftovers(): boolean {
    return this.#desk.functions > 0;
  }

  /** The function of the call whose turn it is is not all that goes on in the thread, if it does at all. */
  get hasMore(): boolean {
    return (this.#call !== null && this.hasReturned(this.#call)) || this.#desk.functions > 1;
  }

  /** How long it may take the thread to react. */
  get patience(): number {
    return this.hasLeftovers ? shortTime : takeTime;
  }

  /** The thread may take that call from now on, after all that it was given before. */
  give(call: PoolCall): void {
    this.#number += 1;
    call.number = this.#number;
    this.#desk.give(this.#number);
    this.#look();
  }

  /** It is that call's turn from now on. */
  follow(call: PoolCall): void {
    this.#call = call;
    this.#turnAt = monotonic();
    this.#look();
  }

  /** The call whose turn it was has nothing more to wait for. */
  done(): void {
    this.#call = null;
  }

  /** The thread may not take the call any more. @returns false if it has */
  withdraw({ number }: PoolCall): boolean {
    return this.#desk.withdraw(number);
  }

  /** Tells the call if it was taken. */
  look(call: PoolCall): void {
    const takenAt = this.takenAt(call);
    if (takenAt !== null && call.state === 'given') call.take(takenAt);
  }

  /** The thread is lost. From now on another may have its call, under a number of its own: it isn't looked at any more. */
  lose(call: PoolCall | null): void {
    if (call !== null) this.look(call);
    this.#call = null;
  }

  #look(): void {
    if (!this.#looking) this.#lookIn(firstLook);
  }

  #lookIn(seconds: number): void {
    this.#looking = true;
    const due = monotonic() + seconds;
    startTimer(
      seconds,
      () => {
        this.#looking = false;
        // Time in which this thread was blocked, or the process stopped, is not held against the other.
        this.#turnAt += Math.max(0, monotonic() - due);
        this.#judge();
      },
      false,
    );
  }

  #judge(): void {
    const call = this.#call;
    if (call === null) {
      this.#owner.quiet();
      return;
    }
    this.look(call);
    const waited = monotonic() - this.#turnAt;
    if (call.state !== 'given') {
      if (this.#desk.holds && this.hasReturned(call)) this.#owner.held(call);
      if (this.#owner.calls.ahead > 0 && !this.#owner.slow(waited)) this.#lookIn(firstLook);
      else if (call.state === 'taken') this.#lookIn(Math.min(Math.max(firstLook, waited), takeTime));
      return;
    }
    const left = this.patience - waited;
    if (left > 0) this.#lookIn(Math.min(Math.max(firstLook, waited), left));
    else if (!this.#clock.endNow(() => blockedError(call.handlerName))) this.#lookIn(takeTime);
  }
}
