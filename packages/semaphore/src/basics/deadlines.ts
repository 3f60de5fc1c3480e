import { AsyncResource } from 'node:async_hooks';
import { startTimer, type Timer } from './seconds.ts';

/** A timer keeps the async context that it was started in, and one that starts the next hands it on for ever. */
const nobody = new AsyncResource('threadbus.deadlines');

/** The end of one attempt's time. */
export interface Deadline {
  /** It is not needed any more. */
  stop(): void;
}

/**
 * Ends of times that are all equally long: whose time begins first ends first. One timer serves all of them, and what is
 * over before the event loop has turned never sees it: most calls have no use for the timer that they ask for.
 */
export class Deadlines {
  readonly seconds: number;
  #first: Entry | undefined;
  #last: Entry | undefined;
  #timer: Timer | undefined;
  #isTurning = false;

  constructor(seconds: number) {
    this.seconds = seconds;
  }

  /** Calls back after so many seconds from now, in nobody's async context. */
  start(onTime: () => void): Deadline {
    const at = performance.now() + this.seconds * 1000;
    const entry = new Entry(at, onTime, this.#leave);
    entry.previous = this.#last;
    if (this.#last === undefined) this.#first = entry;
    else this.#last.next = entry;
    this.#last = entry;
    if (this.#timer === undefined && !this.#isTurning) {
      this.#isTurning = true;
      setImmediate(this.#turned);
    }
    return entry;
  }

  readonly #turned = (): void => {
    this.#isTurning = false;
    this.#arm();
  };

  #arm(): void {
    const first = this.#first;
    if (first === undefined || this.#timer !== undefined) return;
    // One that has left meanwhile is found out when the timer fires, not when it leaves.
    const left = (first.at - performance.now()) / 1000;
    this.#timer = nobody.runInAsyncScope(() => startTimer(left, this.#fire));
  }

  readonly #fire = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (let due = this.#first; due !== undefined && due.at <= now; due = this.#first) {
      due.stop();
      due.onTime();
    }
    this.#arm();
  };

  readonly #leave = (entry: Entry): void => {
    const { previous, next } = entry;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    if (this.#first !== undefined) return;
    this.#timer?.stop();
    this.#timer = undefined;
  };
}

class Entry implements Deadline {
  readonly at: number;
  readonly onTime: () => void;
  previous: Entry | undefined = undefined;
  next: Entry | undefined = undefined;
  #leave: ((entry: Entry) => void) | undefined;

  constructor(at: number, onTime: () => void, leave: (entry: Entry) => void) {
    this.at = at;
    this.onTime = onTime;
    this.#leave = leave;
  }

  stop(): void {
    const leave = this.#leave;
    this.#leave = undefined;
    leave?.(this);
  }
}
