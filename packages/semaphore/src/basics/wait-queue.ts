import { onAbort } from './abort.ts';
import { startTimer, type Timer } from './seconds.ts';

/** One call that waits. Settled exactly once: by `grant`, its timeout, its signal, or `fail`. */
export interface Waiter<Granted> {
  /** Where it came in line, as told to `enter`. */
  readonly place: number;
  /** How much of it, as told to `enter`. */
  readonly permits: number;
  /** When it came, in ms since 1970. */
  readonly since: number;
  grant(value: Granted): void;
  fail(error: Error): void;
}

/** What a call waits for, and what ends the wait. */
export interface Entry {
  readonly timeout: number | null;
  readonly signal: AbortSignal | undefined;
  readonly permits?: number;
  readonly place?: number;
}

/** The calls of this thread that wait for one thing, first come, first served. */
export class WaitQueue<Granted> implements Iterable<Waiter<Granted>> {
  // A list by the members' own links: any of them leaves it at constant cost, and nothing is allocated to see the first.
  #first: WaitingCall<Granted> | undefined;
  #last: WaitingCall<Granted> | undefined;
  #size = 0;
  readonly #onLeave: (waiter: Waiter<Granted>) => void;
  #newest: Waiter<Granted> | undefined;

  /** @param onLeave called after a waiter left without a grant */
  constructor(onLeave: (waiter: Waiter<Granted>) => void = () => {}) {
    this.#onLeave = onLeave;
  }

  get size(): number {
    return this.#size;
  }

  /** Who is served next. */
  get first(): Waiter<Granted> | undefined {
    return this.#first;
  }

  /** Who came last, unless it has left. */
  get newest(): Waiter<Granted> | undefined {
    return this.#newest;
  }

  /** Nobody may leave meanwhile. */
  *[Symbol.iterator](): Generator<Waiter<Granted>, void, undefined> {
    for (let call = this.#first; call !== undefined; call = call.next) yield call;
  }

  /** Rejects everyone who waits. */
  failAll(error: Error): void {
    for (const waiter of [...this]) waiter.fail(error);
  }

  /**
   * Waits for a grant. The caller has checked that the signal has not aborted yet.
   *
   * @param timedOut makes the error for the end of the timeout
   */
  enter(entry: Entry, timedOut: (timeout: number) => Error): Promise<Granted> {
    return new Promise((resolve, reject) => {
      const call = new WaitingCall(entry, { resolve, reject }, this.#left);
      call.start(entry, timedOut);
      call.previous = this.#last;
      if (this.#last === undefined) this.#first = call;
      else this.#last.next = call;
      this.#last = call;
      this.#newest = call;
      this.#size++;
    });
  }

  readonly #left = (call: WaitingCall<Granted>, isGranted: boolean): void => {
    const { previous, next } = call;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    // An old one must not keep alive who came after it.
    call.previous = undefined;
    call.next = undefined;
    this.#size--;
    if (this.#newest === call) this.#newest = undefined;
    if (!isGranted) this.#onLeave(call);
  };
}

interface Settle<Granted> {
  resolve(value: Granted): void;
  reject(error: Error): void;
}

class WaitingCall<Granted> implements Waiter<Granted> {
  readonly place: number;
  readonly permits: number;
  readonly since = Date.now();
  previous: WaitingCall<Granted> | undefined = undefined;
  next: WaitingCall<Granted> | undefined = undefined;
  readonly #settle: Settle<Granted>;
  readonly #left: (call: WaitingCall<Granted>, isGranted: boolean) => void;
  #waits = true;
  #timer: Timer | undefined;
  #off: (() => void) | undefined;

  constructor(
    { permits = 1, place = 0 }: Entry,
    settle: Settle<Granted>,
    left: (call: WaitingCall<Granted>, isGranted: boolean) => void,
  ) {
    this.permits = permits;
    this.place = place;
    this.#settle = settle;
    this.#left = left;
  }

  start({ timeout, signal }: Entry, timedOut: (timeout: number) => Error): void {
    if (timeout !== null) this.#timer = startTimer(timeout, () => this.fail(timedOut(timeout)));
    if (signal !== undefined) this.#off = onAbort(signal, () => this.fail(signal.reason as Error));
  }

  grant(value: Granted): void {
    if (!this.#leave()) return;
    this.#left(this, true);
    this.#settle.resolve(value);
  }

  fail(error: Error): void {
    if (!this.#leave()) return;
    this.#settle.reject(error);
    this.#left(this, false);
  }

  #leave(): boolean {
    const waited = this.#waits;
    this.#waits = false;
    this.#timer?.stop();
    this.#off?.();
    return waited;
  }
}
