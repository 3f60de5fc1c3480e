import { AsyncResource } from 'node:async_hooks';
import { type Linked, LinkedList } from '../basics/linked-list.ts';
import { clearTimeout, monotonic, setTimeout } from '../basics/node-clock.ts';
import { afterMicrotasks, soon } from './turns.ts';

/** What has a limit of time; it stands in the list of those that have as much. */
export interface Limited extends Linked<Limited> {
  /** In milliseconds of `monotonic`. */
  dueAt: number;
  /** It is in no list any more. */
  timeUp(): void;
}

/** Longer ones don't fit into a timer of Node's, which then fires at once. */
const longestDelay = 2 ** 31 - 1;
/** Limits may be made up as a program runs: of so many a timer is kept that nobody needs any more. */
const keptLimits = 16;
/** The context of no request: a timer holds the one in which it was started. */
const outside = new AsyncResource('threadbus.limits');

/**
 * All that run at present with one limit, by when their time is up: mostly in the order in which they began, so that one
 * timer is enough for all of them, which fires once in that time and not once for each. A timer of its own costs a call
 * more than everything else around it.
 */
export class TimeLimit {
  static readonly #known = new Map<number, TimeLimit>();
  readonly #seconds: number;
  readonly #running = new LinkedList<Limited>();
  #timer: NodeJS.Timeout | null = null;
  /** For what the timer was set: the first one's time, and when it fires. */
  #dueAt = 0;
  #firesAt = 0;
  /** Further ones are due, and end within this turn. */
  #goesOn = false;
  readonly #onTimer = (): void => this.#fire();

  private constructor(seconds: number) {
    this.#seconds = seconds;
  }

  static of(seconds: number): TimeLimit {
    let limit = TimeLimit.#known.get(seconds);
    if (limit === undefined) {
      limit = new TimeLimit(seconds);
      TimeLimit.#known.set(seconds, limit);
    }
    return limit;
  }

  /** @param from when its time began, in milliseconds of `monotonic` */
  add(member: Limited, from: number): void {
    member.dueAt = from + this.#seconds * 1000;
    let place = this.#running.last;
    // One whose call took a while itself.
    while (place !== null && place.dueAt > member.dueAt) place = place.previous;
    this.#running.insertAfter(place, member);
    if (this.#goesOn) return;
    if (this.#timer === null) this.#arm(member.dueAt);
    else if (member.dueAt < this.#dueAt) {
      clearTimeout(this.#timer);
      this.#arm(member.dueAt);
    } else if (this.#running.size === 1) this.#timer.ref();
  }

  remove(member: Limited): void {
    this.#running.remove(member);
    if (this.#running.size > 0) return;
    // Not ended: the next one mostly comes soon, and needs none of its own then.
    this.#timer?.unref();
    if (TimeLimit.#known.size > keptLimits) this.#end();
  }

  #arm(dueAt: number): void {
    const now = monotonic();
    const delay = Math.min(Math.max(1, Math.ceil(dueAt - now)), longestDelay);
    this.#dueAt = dueAt;
    this.#firesAt = now + delay;
    this.#timer = outside.runInAsyncScope(setTimeout, undefined, this.#onTimer, delay);
  }

  /** One at a time, as timers of their own would: what one's end has others do comes before the next one's. */
  #fire(): void {
    this.#timer = null;
    this.#goesOn = false;
    // A timer may fire a fraction of a millisecond early.
    const now = Math.max(monotonic(), this.#firesAt);
    const { first } = this.#running;
    try {
      if (first === null || first.dueAt > now) return;
      this.#running.remove(first);
      first.timeUp();
    } finally {
      const next = this.#running.first;
      if (next === null) this.#end();
      else if (next.dueAt <= now) this.#goOn();
      else if (this.#timer === null) this.#arm(next.dueAt);
    }
  }

  #goOn(): void {
    this.#goesOn = true;
    soon(() => afterMicrotasks(this.#onTimer));
  }

  #end(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (TimeLimit.#known.get(this.#seconds) === this) TimeLimit.#known.delete(this.#seconds);
  }
}
