import { channel } from 'node:diagnostics_channel';
import type { Subscription } from '@threadbus/core';
import { checkOptions, defaultLogger, stackText, subscription } from '@threadbus/core/internal';
import { type Guest, openToGuests } from './guests.ts';

/** A thread, or process, that has started for this thread. */
export interface ThreadStart {
  /** What it serves. */
  readonly owner: 'WorkerBus' | 'HandlerPool';
  /** Of the bus; of a pool always 'HandlerPool'. */
  readonly name: string;
  /** 0 for a process of its own. */
  readonly threadId: number;
  /** Of the process that it is in, or is. */
  readonly pid: number;
}

/** How such a thread, or process, has ended. */
export interface ThreadEnd extends ThreadStart {
  /**
   * By itself, for a handler that blocked it past its time or after it was cancelled, because it answered nothing,
   * because its owner was stopped, or because there was nothing to do.
   */
  readonly reason: 'crashed' | 'blocked' | 'unresponsive' | 'stopped' | 'idle';
  /** Events that ended with it. */
  readonly lost: number;
  /** Another takes its place; in a pool as soon as a call needs one. */
  readonly again: boolean;
}

/** What to call when threads start and end. */
export interface ThreadObserver {
  /** It is up: its bus is exposed, or it can take a call. @default nothing is called */
  readonly started?: ((thread: ThreadStart) => void) | undefined;
  /** It has ended, or is being ended; one that never was up is told here alone. @default nothing is called */
  readonly ended?: ((thread: ThreadEnd) => void) | undefined;
}

const observers = new Set<ThreadObserver>();
const published = channel('threadbus:thread');

/**
 * Tells of the threads and processes that buses and pools of this thread start, and how they end.
 *
 * The same is published on the channel `threadbus:thread` of `node:diagnostics_channel`. What an observer throws is
 * logged and goes no further, also when it throws later.
 *
 * @returns ends it
 * @throws TypeError for what is no observer
 * @example
 * ```ts
 * observeThreads({
 *   ended: ({ name, reason, lost }) => {
 *     if (reason !== 'stopped' && reason !== 'idle') console.warn(`a thread of ${name} ${reason}, ${lost} events lost`);
 *   },
 * });
 * ```
 */
export function observeThreads(observer: ThreadObserver): Subscription {
  checkOptions('observeThreads', observer, ['started', 'ended']);
  for (const [name, told] of Object.entries(observer) as [string, unknown][]) {
    if (told === undefined || typeof told === 'function') continue;
    throw new TypeError(`Expected ${name} of observeThreads to be a function, (thread) => { … }; got ${typeof told}.`);
  }
  // A copy: one observer may be given twice.
  const own = { ...observer };
  observers.add(own);
  return subscription(() => observers.delete(own));
}

/**
 * A thread is up.
 *
 * @param send tells it of a guest
 * @returns to be called once, when it has ended
 */
export function threadStarted(
  start: ThreadStart,
  send: (guest: Guest) => void,
): (end: Omit<ThreadEnd, keyof ThreadStart>) => void {
  const close = openToGuests(send);
  tell((observer) => observer.started?.(start));
  if (published.hasSubscribers) published.publish(start);
  return (end) => {
    close();
    threadEnded({ ...start, ...end });
  };
}

/** A thread has ended, perhaps before it was up. */
export function threadEnded(end: ThreadEnd): void {
  tell((observer) => observer.ended?.(end));
  if (published.hasSubscribers) published.publish(end);
}

function tell(told: (observer: ThreadObserver) => unknown): void {
  for (const observer of [...observers]) {
    try {
      Promise.resolve(told(observer)).catch(logFailure);
    } catch (error) {
      logFailure(error);
    }
  }
}

function logFailure(error: unknown): void {
  defaultLogger().error(`An observer of threads threw: ${stackText(error)}`);
}
