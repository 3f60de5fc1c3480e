import type { AsyncResource } from 'node:async_hooks';
import type { BaseEvent } from '../event/base-event.ts';
import { type Moment, never, now } from '../basics/clock.ts';
import { activeHandler, type ActiveHandler, enter, left, type Subject, type Suspension } from '../event/context.ts';
import { endChase, startChase } from '../event/chase.ts';
import { isReadableError } from '../basics/describe.ts';
import type { Dispatch, RunningBus } from '../event/dispatch.ts';
import { type AwaitCycleError, type ErrorPlace, HandlerTimeoutError } from '../basics/errors.ts';
import {
  completedAtOf,
  type EventResult,
  here,
  resultSettled,
  resultStarted,
  type ThreadPlace,
} from '../event/event-result.ts';
import { isHandlerWatched, WatchedCall } from '../event/instrument.ts';
import { onlookers } from '../event/onlookers.ts';
import { needs } from '../event/needs.ts';
import { parseResult } from '../event/event-schema.ts';
import { callHandler } from './call-handler.ts';
import { cycleError } from './cycle-error.ts';
import { later, outcomeKind, type OutcomeKind, thrownValueError, validationError } from './handler-outcome.ts';
import type { HandlerEntry } from '../handlers/handler.ts';
import type { Middleware } from '../handlers/middleware.ts';
import { membersOf, type SmallSet, withMember, withoutMember } from '../basics/small-set.ts';
import { type Limited, TimeLimit } from './time-limits.ts';
import { monotonicAt } from './turns.ts';
import { newController } from '../basics/when-aborted.ts';

/** What a run needs of the bus that it runs on. */
export interface RunHost {
  readonly bus: RunningBus;
  /** What wraps the bus's handlers, the first one outermost. */
  readonly middlewares: readonly Middleware[];
  /** The handler awaits an event: others may run. */
  suspended(run: HandlerRun): void;
  /** Calls `go` as soon as no other handler runs on the bus, first come, first served. */
  whenFree(run: HandlerRun, go: () => void): void;
  /** The handler runs again. */
  resumed(run: HandlerRun): void;
  /** Its function, in another thread, has ended; its result comes when the events that it has dispatched are complete. */
  returned(run: HandlerRun): void;
  settled(run: HandlerRun, at: Moment): void;
}

/** Told of every handler of this thread as it runs and waits: so that a thread can show others what it is doing. */
export interface RunWatch {
  /** The handler is being called, at about that time: until `returned` nothing else can run in this thread. */
  entered(run: HandlerRun, at: Moment): void;
  returned(run: HandlerRun): void;
  /** It awaits an event, or goes on after that. */
  suspended(run: HandlerRun): void;
  resumed(run: HandlerRun): void;
  settled(run: HandlerRun): void;
  /** The bus knows that it has settled: its event is complete, if that was all there was to wait for. */
  told(run: HandlerRun): void;
}

let watch: RunWatch | null = null;
/** Sets the one watch of this thread. */
export function watchRuns(watcher: RunWatch): void {
  watch = watcher;
}

/**
 * One call of one handler: running, suspended while at least one await of an event is pending, settled for good.
 *
 * Whatever comes first settles it: its return, its throw, its time, an abort. All that comes later is dropped.
 */
export class HandlerRun implements ActiveHandler, Limited {
  previous: Limited | null = null;
  next: Limited | null = null;
  dueAt = 0;
  readonly event: BaseEvent;
  readonly entry: HandlerEntry;
  readonly runner: EventResult;
  /** Called before the run is cancelled: who does its work elsewhere decides now whether it has begun. */
  onCancel: (() => void) | null = null;
  /** Called once when it begins, if it waits for a thread. */
  onBegun: (() => void) | null = null;
  /** It holds its bus's slot when it runs; not any more once its function has ended elsewhere. */
  needsSlot: boolean;
  readonly #host: RunHost;
  #pendingAwaits = 0;
  #awaitsThere = false;
  /** As long as its time is kept. */
  #limit: TimeLimit | null = null;
  #controller: AbortController | null = null;
  #abortReason: Error | null = null;
  /** The engine's own, which need no signal: one costs more than all the rest of a short call. */
  #onAbort: SmallSet<(reason: Error) => void> = null;
  #context: AsyncResource | null = null;
  /** Set if somebody watched as it was called. */
  #watched: WatchedCall | null = null;

  constructor(event: BaseEvent, entry: HandlerEntry, result: EventResult, host: RunHost) {
    this.event = event;
    this.entry = entry;
    this.needsSlot = entry.holdsSlot;
    this.runner = result;
    this.#host = host;
  }

  get bus(): RunningBus {
    return this.#host.bus;
  }

  get middlewares(): readonly Middleware[] {
    return this.#host.middlewares;
  }

  /** Nobody but this run gets what the handler returns: it may return `later`. */
  get isDirect(): boolean {
    return this.#watched === null && this.#host.middlewares.length === 0;
  }

  /** Made when first asked for: most handlers never do. */
  get signal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = newController();
      if (this.#abortReason !== null) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /** Calls back when the handler is ended from outside. @returns takes that back */
  whenAborted(tell: (reason: Error) => void): () => void {
    this.#onAbort = withMember(this.#onAbort, tell);
    return () => {
      this.#onAbort = withoutMember(this.#onAbort, tell);
    };
  }

  get place(): ErrorPlace {
    const { busName, handlerName } = this.entry.source;
    return { busName, handlerName, eventType: this.event.event_type, eventId: this.event.event_id };
  }

  /** Calls the handler, in the context in which its event was dispatched. @returns when it settled; `never` if it goes on */
  start(context: AsyncResource, at: Moment = now()): Moment {
    this.#context = context;
    // Where the function of another thread runs is told with its answer, if at all.
    if (!this.entry.ownClock) resultStarted(this.runner, at, this.entry.isRemote ? null : here);
    let outcome: unknown;
    let isLater: boolean;
    watch?.entered(this, at);
    try {
      outcome = context.runInAsyncScope(callWithin, undefined, this);
      // What was returned may throw at any question.
      isLater = outcome instanceof Promise;
    } catch (error) {
      this.fail(error);
      return completedAtOf(this.runner);
    } finally {
      watch?.returned(this);
    }
    if (outcome === later) return this.runner.settled ? completedAtOf(this.runner) : never;
    if (!isLater) {
      this.succeed(outcome);
      return completedAtOf(this.runner);
    }
    // The call itself may have taken a while: time counts from its start.
    if (!this.entry.ownClock) this.startClock(monotonicAt(at));
    (outcome as Promise<unknown>).then(
      (value) => this.succeed(value),
      (error: unknown) => this.fail(error),
    );
    return this.runner.settled ? completedAtOf(this.runner) : never;
  }

  /** Calls the handler, and lets those who watch be around it. */
  call(): unknown {
    for (const onlooker of onlookers) onlooker.called(this.event, this.runner);
    if (!isHandlerWatched()) {
      // The scope of the event's context ends with the call: to leave it twice costs as much as to enter it (Node.js 24).
      enter(this);
      return callHandler(this);
    }
    this.#watched = new WatchedCall(this.event, this.runner);
    return this.#watched.run(() => activeHandler.run(this, callHandler, this));
  }

  /** Its function has begun, if that wasn't known before; in a thread that may not be known yet. */
  begin(at: Moment, ranIn: ThreadPlace | null): void {
    if (this.runner.status !== 'pending') return;
    resultStarted(this.runner, at, ranIn);
    this.onBegun?.();
  }

  /** The handler's time starts now, or did before, in milliseconds of `monotonic`. */
  startClock(from: number): void {
    const { timeout } = this.runner;
    if (this.runner.settled) return;
    if (this.runner.status === 'pending') this.begin(now(), this.entry.isRemote ? null : here);
    if (timeout === null || this.#limit !== null) return;
    this.#limit = TimeLimit.of(timeout);
    this.#limit.add(this, from);
  }

  timeUp(): void {
    this.#limit = null;
    this.timeOut();
  }

  /** The handler's time is up. @param explain adds to the error what else is known */
  timeOut(explain?: (error: HandlerTimeoutError) => HandlerTimeoutError): void {
    const timeout = this.runner.timeout ?? 0;
    const { busName, handlerName, eventType, eventId } = this.place;
    const cancelled = this.#awaitedChildren().length;
    const effect = cancelled === 0 ? '' : ` and interrupted any processing of ${cancelled} child events`;
    const error = new HandlerTimeoutError(
      `${busName}.${handlerName}(${eventType}#${eventId?.slice(-4)}) timed out after ${timeout}s${effect}. Give the event more time (event_timeout), or make the handler end when its context's signal aborts.`,
      this.place,
      timeout,
    );
    this.abort(explain === undefined ? error : explain(error));
  }

  /**
   * Ends the handler from outside, and with it the children that nobody but it awaits.
   *
   * @param cause what all this began with, a timeout, a stop or a signal's reason; `error` itself if it began here
   */
  abort(error: Error, cause: unknown = error): void {
    if (this.runner.settled) return;
    const orphans = this.#awaitedChildren();
    this.#settle('error', error);
    this.#abortReason = error;
    for (const tell of membersOf(this.#onAbort)) tell(error);
    // What listens belongs to the handler, whoever it is that ends it.
    if (this.#controller !== null)
      this.#context?.runInAsyncScope(abortWithin, undefined, this, this.#controller, error);
    for (const child of orphans) child.cancel(cause);
  }

  /**
   * What its function does in another thread: awaits an event, goes on, or has returned and leaves events to be waited
   * for. Others may run in its place, as for a function of this thread, which it can't wait for before it goes on.
   */
  movedOn(to: 'awaits' | 'goes on' | 'returned'): void {
    if (this.runner.settled) return;
    this.#awaitsThere = to === 'awaits';
    if (to === 'awaits') this.#host.suspended(this);
    else if (to === 'returned') this.#host.returned(this);
    else
      this.#host.whenFree(this, () => {
        if (!this.runner.settled && !this.#awaitsThere) this.#host.resumed(this);
      });
  }

  suspendFor({ lifecycle }: Subject, refuse: (error: Error) => void): Suspension {
    const own = this.runner.lifecycle;
    const cycle = (): AwaitCycleError => cycleError(this, lifecycle.event as BaseEvent);
    if (needs(lifecycle, own)) throw cycle();
    this.#pendingAwaits += 1;
    if (this.#pendingAwaits === 1) {
      watch?.suspended(this);
      this.#host.suspended(this);
    }
    lifecycle.cover();
    // What another handler of the event has dispatched is not this one's: that may be the handler of another thread.
    const isChild = lifecycle.parent === this.runner;
    const token = isChild ? null : startChase(own, lifecycle, () => refuse(cycle()));
    return {
      token,
      resume: (wake) => {
        if (token !== null) endChase(token);
        this.#resume(wake);
      },
    };
  }

  #resume(wake: () => void): void {
    if (this.runner.settled) return wake();
    this.#host.whenFree(this, () => {
      this.#pendingAwaits -= 1;
      if (this.#pendingAwaits === 0 && !this.runner.settled) {
        this.#host.resumed(this);
        watch?.resumed(this);
      }
      wake();
    });
  }

  #awaitedChildren(): EventResult['children'] {
    return this.runner.children.filter((child) => child.awaitedBy(this.runner) && !child.awaitedByOthers(this.runner));
  }

  /** The handler has come to that value. */
  succeed(value: unknown): void {
    if (this.runner.settled) return;
    let kind: OutcomeKind;
    try {
      kind = outcomeKind(value);
    } catch (error) {
      this.fail(error);
      return;
    }
    if (kind === 'value') this.#validate(value);
    else if (kind === 'error') this.fail(value);
    else this.#settle('completed', kind === 'dispatch' ? (value as Dispatch).event : value);
  }

  #validate(value: unknown): void {
    const type = this.event.event_result_type;
    if (type === null || value === null || value === undefined) return this.#settle('completed', value ?? null);
    let cause: unknown;
    try {
      const outcome = parseResult(type, value);
      if (outcome.success) return this.#settle('completed', outcome.data);
      cause = outcome.error;
    } catch (error) {
      cause = error;
    }
    this.#settle('error', validationError(type, cause, this.place));
  }

  /** The handler has thrown. */
  fail(error: unknown): void {
    if (this.runner.settled) return;
    if (isReadableError(error)) return this.#settle('error', error);
    this.#settle('error', thrownValueError(this.place, error));
  }

  #settle(status: 'completed' | 'error', outcome: unknown): void {
    this.#limit?.remove(this);
    this.#limit = null;
    const at = now();
    resultSettled(this.runner, status, outcome, at);
    watch?.settled(this);
    this.#watched?.ended();
    if (this.#context !== null) for (const onlooker of onlookers) onlooker.ended(this.event, this.runner);
    this.runner.lifecycle.runnerSettled(this.runner);
    this.#host.settled(this, at);
    watch?.told(this);
  }
}

/** Runs in the dispatcher's context. */
function callWithin(run: HandlerRun): unknown {
  const outcome = run.call();
  left();
  return outcome;
}

function abortWithin(run: HandlerRun, controller: AbortController, error: Error): void {
  activeHandler.run(run, () => controller.abort(error));
}
