import type { CarrierOptions } from './carrier.ts';
import type { PoolCall } from './pool-call.ts';

/** What a pool thread is told when it starts. */
export interface ThreadOptions extends CarrierOptions {
  /** Seconds; null = any time. */
  readonly startTimeout: number | null;
  /** Modules to be loaded before the first call, as URLs. */
  readonly preload: readonly string[];
}

/** What a thread tells its pool, and asks of it. */
export interface ThreadHost<Thread> {
  /** It is there, and has loaded what is to be preloaded. */
  up(thread: Thread): void;
  /** It won't be there: why. */
  startFailed(thread: Thread, error: Error): void;
  /** It takes calls. */
  idle(thread: Thread): void;
  /** It takes none any more. */
  ending(thread: Thread): void;
  /** It is gone, or takes so long to go that nobody waits for it. */
  gone(thread: Thread): void;
  /** It has died while it had no call. */
  diedIdle(error: Error): void;
  /** Some thread has nothing to do. */
  readonly hasIdle: boolean;
  /** Its turn has come to a call that it was given ahead: there may be room for further ones. */
  advanced(thread: Thread): void;
  /** These, in order, it was given ahead and has not begun with: others may have them. */
  takeBack(calls: readonly PoolCall[]): void;
  /** The call that it had not taken may go to another. @returns false if it may not */
  again(call: PoolCall): boolean;
  /** It needs one of the places of the pool from now on, or doesn't any more. @param at now, in monotonic seconds, if that is known */
  place(taken: boolean, at?: number): void;
  /** Its handler awaits an event, or goes on. */
  awaiting(awaiting: boolean): void;
  /** There may be room for others. */
  changed(): void;
}
