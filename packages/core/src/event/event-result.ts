import { pid } from 'node:process';
import { threadId } from 'node:worker_threads';
import { isoTime, type Moment, never, now } from '../basics/clock.ts';
import { type Subject, waitFor } from './context.ts';
import { newId } from './event-id.ts';
import { describe, isReadableError, shownText } from '../basics/describe.ts';
import { showAs } from '../basics/inspect.ts';
import type { Lifecycle, Runner, Wait } from './lifecycle.ts';

/** How far a handler is with an event. */
export type ResultStatus = 'pending' | 'started' | 'completed' | 'error';

/** Which handler on which bus a result belongs to; the same object for all events of the handler. */
export interface ResultSource {
  readonly handlerId: string;
  readonly handlerName: string;
  readonly busId: string;
  readonly busName: string;
}

/** Everything of a result that is not fixed from the start; what a result from another thread is made of. */
export interface ResultState {
  readonly status: ResultStatus;
  readonly value: unknown;
  readonly error: unknown;
  readonly startedAt: Moment;
  readonly completedAt: Moment;
  /** Null if it hasn't started, or runs where nobody has told yet. */
  readonly ranIn?: ThreadPlace | null;
}

/** Where handlers run: ids as Node.js has them, 0 for the main thread of a process. */
export interface ThreadPlace {
  readonly threadId: number;
  readonly pid: number;
}

/** Of this thread. */
export const here: ThreadPlace = { threadId, pid };

/** Failed results whose error somebody has got who awaited them. */
const got = new WeakSet<EventResult>();

/** Somebody who awaited the result has its error. */
export function wasGot(result: EventResult): boolean {
  return got.has(result);
}

const noChildren: Lifecycle[] = [];

/** The engine's side of a result; the class shows only what users may do. */
export let resultStarted: (result: EventResult, at?: Moment, ranIn?: ThreadPlace | null) => void;
export let resultSettled: (result: EventResult, status: 'completed' | 'error', outcome: unknown, at: Moment) => void;
/** Fills a result with what another thread says of it. */
export let resultRestored: (result: EventResult, id: string | null, state: ResultState) => void;
/** What a result is made of, without the text that users see. */
export let sourceOf: (result: EventResult) => ResultSource;
export let startedAtOf: (result: EventResult) => Moment;
/** The thread that ran the handler; null before it has started, or as long as nobody has told. */
export let ranInOf: (result: EventResult) => ThreadPlace | null;
export let setRanIn: (result: EventResult, place: ThreadPlace | null) => void;
/** The result's id, if anybody has asked for it yet. */
export let knownIdOf: (result: EventResult) => string | null;
/** When the handler settled. */
export let completedAtOf: (result: EventResult) => Moment;
export let addChild: (result: EventResult, child: Lifecycle) => void;

/**
 * What one handler made of one event.
 *
 * Await it for the handler's value; it throws the object that the handler threw. Fields are snake_case as in bubus,
 * where the class has the same name.
 *
 * @example
 * ```ts
 * const event = await bus.dispatch(new Add({ a: 1, b: 2 }));
 * for (const result of event.event_results.values()) console.log(result.handler_name, result.status, result.result);
 * ```
 */
export class EventResult<T = unknown, E extends object = object> implements Runner, Subject, PromiseLike<T> {
  readonly #lifecycle: Lifecycle;
  /** In seconds; null = the handler may take any time. */
  readonly timeout: number | null;
  readonly #source: ResultSource;
  #id: string | null = null;
  #status: ResultStatus = 'pending';
  /** What the handler returned or threw. */
  #outcome: unknown = null;
  #startedAt: Moment = never;
  #completedAt: Moment = never;
  #ranIn: ThreadPlace | null = null;
  #children: Lifecycle[] = noChildren;
  #waits: Wait[] | null = null;

  static {
    showAs(this.prototype, (result) => result.toString());
    resultStarted = (result, at = now(), ranIn = here) => {
      result.#status = 'started';
      result.#startedAt = at;
      result.#ranIn = ranIn;
    };
    resultSettled = (result, status, outcome, at) => EventResult.#settle(result, status, outcome, at);
    resultRestored = (result, id, { status, value, error, startedAt, completedAt, ranIn = null }) => {
      result.#id = id;
      result.#startedAt = startedAt;
      result.#ranIn = ranIn;
      if (status === 'completed') EventResult.#settle(result, 'completed', value, completedAt);
      else if (status === 'error') EventResult.#settle(result, 'error', error, completedAt);
      else result.#status = status;
    };
    knownIdOf = (result) => result.#id;
    sourceOf = (result) => result.#source;
    startedAtOf = (result) => result.#startedAt;
    ranInOf = (result) => result.#ranIn;
    setRanIn = (result, place) => {
      result.#ranIn = place;
    };
    completedAtOf = (result) => result.#completedAt;
    addChild = (result, child) => {
      if (result.#children.length === 0) result.#children = [child];
      else result.#children.push(child);
    };
  }

  /** @internal */
  constructor(lifecycle: Lifecycle, source: ResultSource, timeout: number | null) {
    this.#lifecycle = lifecycle;
    this.#source = source;
    this.timeout = timeout;
  }

  /** A UUIDv7 of this one run. */
  get id(): string {
    return (this.#id ??= newId());
  }

  /** Unique for one bus instance, and the same again when the bus's thread was restarted. */
  get handler_id(): string {
    return this.#source.handlerId;
  }

  /** The function's name, 'anonymous' without one; of a forward, its bus and `dispatch`. */
  get handler_name(): string {
    return this.#source.handlerName;
  }

  /** Of the bus that ran the handler. */
  get eventbus_id(): string {
    return this.#source.busId;
  }

  /** Of the bus that ran the handler. */
  get eventbus_name(): string {
    return this.#source.busName;
  }

  /** 'pending', then 'started', then 'completed' or 'error', for good. */
  get status(): ResultStatus {
    return this.#status;
  }

  /** The handler's value, null while there is none. */
  get result(): T | null {
    return this.#status === 'completed' ? (this.#outcome as T) : null;
  }

  /** The object that the handler threw (or the bus's reason to end it), null if there is none. */
  get error(): unknown {
    return this.#status === 'error' ? this.#outcome : null;
  }

  /** ISO 8601, null until the handler starts. */
  get started_at(): string | null {
    return isoTime(this.#startedAt);
  }

  /** ISO 8601, null until the handler has settled. */
  get completed_at(): string | null {
    return isoTime(this.#completedAt);
  }

  /** Of the thread that ran the handler, 0 for a main thread or a process; null until it has started. */
  get thread_id(): number | null {
    return this.#ranIn?.threadId ?? null;
  }

  /** Of the process that ran the handler; null until it has started. */
  get pid(): number | null {
    return this.#ranIn?.pid ?? null;
  }

  /** Events that this handler dispatched, in order. */
  get event_children(): readonly E[] {
    return this.#children.map((child) => child.event as E);
  }

  /** @internal */
  get lifecycle(): Lifecycle {
    return this.#lifecycle;
  }

  /** @internal */
  get settled(): boolean {
    return this.#status === 'completed' || this.#status === 'error';
  }

  /** @internal */
  get children(): readonly Lifecycle[] {
    return this.#children;
  }

  /** @internal */
  addWait(wait: Wait): void {
    this.#lifecycle.addWait(wait);
    (this.#waits ??= []).push(wait);
  }

  /** @internal */
  release(wait: Wait): void {
    this.#lifecycle.release(wait);
    if (this.#waits !== null) this.#waits = this.#waits.filter((other) => other !== wait);
  }

  // eslint-disable-next-line unicorn/no-thenable -- awaiting a result is part of the contract
  then<Value = T, Failure = never>(
    onValue?: ((value: T) => Value | PromiseLike<Value>) | null,
    onError?: ((error: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Value | Failure> {
    if (this.#status === 'error') got.add(this);
    const outcome = waitFor(this, null).then(() => {
      if (this.#status === 'error') throw this.#outcome;
      return this.#outcome as T;
    });
    return outcome.then(onValue, onError);
  }

  /** The fields that bubus's results have, with ids in place of events; `error` is the error's text. */
  toJSON(): Record<string, unknown> {
    const { id, status, handler_id, handler_name, eventbus_id, eventbus_name, timeout, started_at, completed_at } =
      this;
    const { event_id } = this.#lifecycle.event as { event_id: string };
    const error = this.error instanceof Error ? `${this.error.name}: ${this.error.message}` : null;
    const event_children = this.#children.map(({ event }) => (event as { event_id: string }).event_id);
    return {
      id,
      status,
      event_id,
      handler_id,
      handler_name,
      timeout,
      eventbus_id,
      eventbus_name,
      started_at,
      completed_at,
      thread_id: this.thread_id,
      pid: this.pid,
      result: this.result,
      error,
      event_children,
    };
  }

  /** `<bus>.<handler>() -> <value, error or …> (<status>)`, in bubus's format. */
  toString(): string {
    return `${this.eventbus_name}.${this.handler_name}() -> ${outcomeText(this)} (${this.#status})`;
  }

  // Static, because an instance with private methods has a field more.
  static #settle(result: EventResult, status: 'completed' | 'error', outcome: unknown, at: Moment): void {
    result.#status = status;
    result.#outcome = outcome;
    result.#completedAt = at;
    const waits = result.#waits;
    result.#waits = null;
    if (waits !== null && status === 'error') got.add(result);
    if (waits !== null) for (const wait of waits) wait.settle();
  }
}

function outcomeText({ settled, status, error, result }: EventResult): string {
  if (!settled) return '...';
  if (status === 'error') return isReadableError(error) ? error.name : describe(error);
  return typeof result === 'string' ? result : shownText(result, { depth: 1, breakLength: Infinity });
}
