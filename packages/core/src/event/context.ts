import { AsyncLocalStorage } from 'node:async_hooks';
import type { Lifecycle, Runner, Wait } from './lifecycle.ts';
import { startTimer } from '../basics/timer.ts';
import { whenAborted } from '../basics/when-aborted.ts';

/** What a wait is for: an event's completion, or one result of it. */
export interface Subject {
  readonly lifecycle: Lifecycle;
  readonly settled: boolean;
  addWait(wait: Wait): void;
  release(wait: Wait): void;
}

/** How a wait may end before its subject does. */
export interface WaitLimits {
  /** Seconds; null = no limit, 0 = look once. */
  readonly timeout: number | null;
  readonly signal?: AbortSignal | undefined;
  /** Makes the error for a wait whose time is up. */
  readonly onTimeout: (timeout: number) => Error;
  /** Whoever waits is told of the errors of the event's handlers. */
  readonly getsErrors?: boolean;
}

export const noLimits: WaitLimits = { timeout: null, onTimeout: () => new Error('a wait without limit timed out') };

/** How often somebody who waited for an event was told to go on, in this thread. */
export let wakes = 0;

/** Somebody goes on, within the next microtasks: no event is to start before. */
export function woken(): void {
  wakes += 1;
}

/** A handler's await of an event. */
export interface Suspension {
  /** Under which cycles are looked for in other threads; null if none can lead there. */
  readonly token: string | null;
  /** Calls back once the handler may run again. */
  resume(wake: () => void): void;
}

/** The handler that the calling code belongs to. */
export interface ActiveHandler {
  readonly runner: Runner;
  /** The bus that runs it. */
  readonly bus: object;
  /**
   * Begins an await inside the handler: refuses a cycle, covers the event, lets the bus run others meanwhile.
   *
   * @param refuse called later if there is a cycle over other threads
   * @returns the await, and how to go on
   * @throws AwaitCycleError
   */
  suspendFor(subject: Subject, refuse: (error: Error) => void): Suspension;
}

/** Set while a handler runs, and in everything that it starts. */
export const activeHandler: AsyncLocalStorage<ActiveHandler> = new AsyncLocalStorage();

/** The handler that is calling, if it hasn't settled. */
export function liveHandler(): ActiveHandler | null {
  const handler = activeHandler.getStore();
  return handler === undefined || handler.runner.settled ? null : handler;
}

/**
 * Waits until `subject` has settled: as an await of the calling handler if there is one, else from outside.
 *
 * @returns `value`
 */
export function waitFor<T>(subject: Subject, value: T, limits: WaitLimits = noLimits): Promise<T> {
  if (subject.settled) {
    woken();
    return Promise.resolve(value);
  }
  const handler = liveHandler();
  if (limits !== noLimits || handler !== null) return waitWithin(subject, value, limits, handler);
  return new Promise((resolve, reject) => subject.addWait(new OutsideWait(subject, resolve, reject, value)));
}

/** A wait of no handler, which only its subject can end. */
class OutsideWait<T> implements Wait {
  readonly runner: null = null;
  readonly #subject: Subject;
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: Error) => void;
  readonly #value: T;

  constructor(subject: Subject, resolve: (value: T) => void, reject: (error: Error) => void, value: T) {
    this.#subject = subject;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#value = value;
  }

  settle(): void {
    woken();
    this.#resolve(this.#value);
  }

  fail(error: Error): void {
    this.#subject.release(this);
    this.#reject(error);
  }
}

function waitWithin<T>(
  subject: Subject,
  value: T,
  { timeout, signal, onTimeout, getsErrors = false }: WaitLimits,
  handler: ActiveHandler | null,
): Promise<T> {
  if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
  if (timeout === 0) return Promise.reject(onTimeout(0));
  return new Promise((resolve, reject) => {
    const suspension = handler?.suspendFor(subject, (error) => end(() => reject(error))) ?? null;
    const end = (finish: () => void): void => {
      subject.release(wait);
      timer?.cancel();
      stopListening?.();
      woken();
      if (suspension === null) finish();
      else suspension.resume(finish);
    };
    const wait: Wait = {
      runner: handler?.runner ?? null,
      token: suspension?.token ?? null,
      getsErrors,
      settle: () => end(() => resolve(value)),
      fail: (error) => end(() => reject(error)),
    };
    const onAbort = (): void => end(() => reject(signal?.reason as Error));
    const stopListening = signal === undefined ? null : whenAborted(signal, onAbort);
    const timer = timeout === null ? null : startTimer(timeout, () => end(() => reject(onTimeout(timeout))), true);
    subject.addWait(wait);
  });
}
