import { startTimer, type Timer } from '@threadbus/core/internal';
import { monotonic } from '../thread/monotonic.ts';
import type { PoolThread } from './pool-thread.ts';
import { idleError } from './thread-errors.ts';

/** Seconds that a thread beyond `maxThreads` is kept for the next call, once there is nothing to do for it. */
const extraTime = 0.5;

/** How many threads there are, and may be. */
export interface IdleLimits {
  readonly idleTimeout: number | null;
  readonly minThreads: number;
  /** Threads that are there. */
  readonly live: number;
  /** There are more than may work at a time, those that await not counted. */
  readonly hasExtra: boolean;
}

/** The threads that have nothing to do, and when they are ended for that: one timer for all. */
export class IdleThreads {
  readonly #limits: IdleLimits;
  /** The one that was used last at the end. */
  readonly #threads: PoolThread[] = [];
  #idleTimer: Timer | null = null;
  #extraTimer: Timer | null = null;

  constructor(limits: IdleLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#threads.length;
  }

  add(thread: PoolThread): void {
    this.#threads.push(thread);
  }

  remove(thread: PoolThread): void {
    const at = this.#threads.indexOf(thread);
    if (at >= 0) this.#threads.splice(at, 1);
  }

  /** The one that was used last; rather one in which nothing goes on of handlers that were ended. */
  take(): PoolThread | null {
    for (let at = this.#threads.length - 1; at >= 0; at -= 1) {
      const thread = this.#threads[at] as PoolThread;
      if (!thread.hasLeftovers) {
        if (at === this.#threads.length - 1) this.#threads.pop();
        else this.#threads.splice(at, 1);
        return thread;
      }
    }
    return this.#threads.pop() ?? null;
  }

  watch(): void {
    const { idleTimeout, minThreads, live, hasExtra } = this.#limits;
    if (this.#threads.length > 0 && hasExtra) this.#extraTimer ??= this.#endIn(extraTime, 'extra');
    if (idleTimeout !== null && live > minThreads) this.#idleTimer ??= this.#endIn(idleTimeout, 'idle');
  }

  stop(): void {
    this.#idleTimer?.cancel();
    this.#extraTimer?.cancel();
  }

  #endIn(seconds: number, kind: 'idle' | 'extra'): Timer {
    return startTimer(
      seconds,
      () => {
        if (kind === 'extra') this.#extraTimer = null;
        else this.#idleTimer = null;
        this.#end();
      },
      false,
    );
  }

  #end(): void {
    const at = monotonic();
    // Ending one takes it off the list.
    for (const thread of [...this.#threads]) {
      const { idleTimeout, minThreads, live, hasExtra } = this.#limits;
      const limit = hasExtra ? extraTime : idleTimeout;
      if (limit === null || live <= minThreads) return;
      if (at - thread.idleSince >= limit) void thread.stop(idleError());
    }
    this.watch();
  }
}
