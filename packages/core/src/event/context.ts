import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';
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

/**
 * Whoever waited for an event goes on before the next event starts. He is told by a promise, and does so in a microtask:
 * in one that is queued already, in one that is queued when a callback of ours is called, or behind promises of his own,
 * nobody knows how many. What is queued at that time waits for all of them, until no microtask is left. But that costs a
 * fifth of an event that is awaited, and most often nothing is queued: whoever awaited the last event dispatches the next.
 * Such a one starts at once if he has gone on, as far as that can be known: see `haveGoneOn`.
 */

/** How often somebody who waited for an event was told to go on, in this thread. */
export let wakes = 0;
/** Those of them whose callback has yet to be called. */
let uncalled = 0;
/** The last of them who may come after any number of microtasks, counted as in `wakes`. */
let lastLate = 0;

/** Somebody goes on, within the next microtasks: no event is to start before. */
function woken(): void {
  wakes += 1;
  lastLate = wakes;
}

/** The same, for a promise that was handed out as it is: whoever awaits it is queued by now. */
export function wokenNext(): void {
  wakes += 1;
}

/**
 * Whether everybody who was told to go on since then does so before a microtask that is queued now. Only if it is one:
 * what the first of several does may keep others, who come later, from going on before the next event. Behind
 * `Promise.all` he comes a microtask later: an event that somebody else dispatches in just that one may start before.
 */
export function haveGoneOn(since: number): boolean {
  return uncalled === 0 && lastLate <= since && wakes - since < 2;
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

/** Whether a resource keeps what was entered in it; not so from Node.js 24 on. Null before the first bus. */
let keepsEntered: boolean | null = null;

/**
 * Called before the first event is dispatched: where contexts live on resources, each has a place for the handler from
 * then on. Made later, it would cost every event an object of its own.
 */
export function prepareContexts(): void {
  if (keepsEntered !== null) return;
  const probe = {} as ActiveHandler;
  const resource = new AsyncResource('threadbus.probe');
  resource.runInAsyncScope(enter, undefined, probe);
  keepsEntered = resource.runInAsyncScope(() => activeHandler.getStore() === probe);
}

/** Makes the handler the active one, until the scope of its event's context ends. */
export function enter(handler: ActiveHandler): void {
  activeHandler.enterWith(handler);
}

/**
 * The call has returned, in the same scope. The event may live long, or be dead and lie in the old generation of the heap
 * for long: that is not to keep the handler's run.
 */
export function left(): void {
  if (keepsEntered === true) activeHandler.enterWith(undefined as unknown as ActiveHandler);
}

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

const settled = Promise.resolve();

/**
 * What `then` of something that can be awaited does, for a caller outside all handlers: calls back when `subject` has
 * settled. With `await` it is called for every event, so that it makes no promise that it can do without.
 */
export function callOutside<T, Value, Failure>(
  subject: Subject,
  value: T,
  onValue: ((value: T) => Value | PromiseLike<Value>) | null | undefined,
  onError: ((error: unknown) => Failure | PromiseLike<Failure>) | null | undefined,
): Promise<Value | Failure> {
  const goOn = (): Value | PromiseLike<Value> => {
    uncalled -= 1;
    return typeof onValue === 'function' ? onValue(value) : (value as unknown as Value);
  };
  if (subject.settled) {
    wakes += 1;
    uncalled += 1;
    return settled.then(goOn);
  }
  const wait = new Promise<void>((resolve, reject) => subject.addWait(new CalledWait(subject, resolve, reject)));
  return wait.then(goOn, onError);
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

/** The same of one who is called back. */
class CalledWait implements Wait {
  readonly runner: null = null;
  readonly #subject: Subject;
  readonly #resolve: () => void;
  readonly #reject: (error: Error) => void;

  constructor(subject: Subject, resolve: () => void, reject: (error: Error) => void) {
    this.#subject = subject;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  settle(): void {
    wakes += 1;
    uncalled += 1;
    this.#resolve();
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
