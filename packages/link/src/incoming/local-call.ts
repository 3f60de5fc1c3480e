import { AsyncResource } from 'node:async_hooks';
import type { BaseEvent, RunningBus } from '@threadbus/core';
import {
  abortedError,
  type AnyHandler,
  EventResult,
  type ForwardTarget,
  type HandlerEntry,
  HandlerRun,
  isHandlerAbortedError,
  isHandlerCancelledError,
  isHandlerTimeoutError,
  type Lifecycle,
  lifecycleOf,
  never,
  type Part,
  recursionError,
  resultRestored,
  type ResultSource,
  resultStarted,
  type RunHost,
  soon,
} from '@threadbus/core/internal';
import { whenChildrenDone } from './children.ts';

const unnamed = { status: 'pending', value: null, error: null, startedAt: never, completedAt: never } as const;

/** What a call is for: the result on the other side that it fills, and whose function it is. */
export interface CallTarget {
  readonly resultId: string | null;
  readonly source: ResultSource;
  readonly handler: AnyHandler;
  /** See HandlerEntry. */
  readonly ignoresContext?: boolean;
  /** The bus, at the other end, for which the function runs. */
  readonly bus: RunningBus;
  /** Of that bus, for what is nested in the function on this side. */
  readonly maxRecursionDepth?: number | null;
  /** Told when the function awaits an event, or has returned and leaves events to be waited for, and when it goes on. */
  readonly onSuspended?: (suspended: boolean) => void;
  /**
   * Told when it has settled, and how: by its function's end, so that it is about to be answered, or waits for events
   * first; or because it was cancelled, maybe before that end.
   */
  readonly onSettled?: (how: 'answers' | 'waits' | 'cancelled') => void;
  /** Has it begin when it is its turn; without, it begins at once. */
  readonly turns?: CallTurns | undefined;
}

/** Who says when a call begins. */
interface CallTurns {
  /** Calls `begin` or `refuse` later, unless the call is `over` by then. */
  wait(call: LocalCall): void;
}

/**
 * A function of this side that a bus at the other end of a link has as its handler, at work on one event.
 *
 * Its result belongs to that bus: it shows on the event here until the same result comes back with all the others.
 * Its time is kept over there.
 *
 *   accepted ──its turn──▶ begun ──the function and its children are done──▶ over
 *      └──it may not begin any more, or is cancelled──▶ over, without a result
 */
export class LocalCall implements Part, RunHost, ForwardTarget {
  readonly id: string;
  readonly name: string;
  readonly bus: RunningBus;
  /** Those of the other side are around its call of this one. */
  readonly middlewares: readonly never[] = [];
  results: readonly EventResult[] = [];
  onDone: (() => void) | null = null;
  nextPart: Part | null = null;
  readonly #target: CallTarget;
  #run: HandlerRun | null = null;
  #lifecycle: Lifecycle | null = null;
  #context: AsyncResource | null = null;
  /** It is being begun or cancelled: if it settles meanwhile, whoever does that has to be done before it is over. */
  #entered = false;
  #cancelled = false;
  /** Nothing of it is left to be done. */
  over = false;

  constructor(target: CallTarget) {
    this.#target = target;
    this.id = target.source.busId;
    this.name = target.source.busName;
    this.bus = target.bus;
  }

  /** Takes the result of a call that this side has made for a handler there off the event. */
  static take(lifecycle: Lifecycle, handlerId: string): EventResult | undefined {
    for (const call of lifecycle.parts) {
      if (!(call instanceof LocalCall)) continue;
      const result = call.results.find(({ handler_id }) => handler_id === handlerId);
      if (result === undefined) continue;
      call.results = [];
      return result;
    }
    return undefined;
  }

  /** Null before it is accepted. */
  get event(): BaseEvent | null {
    return (this.#lifecycle?.event ?? null) as BaseEvent | null;
  }

  get runningBus(): RunningBus {
    return this.bus;
  }

  get runners(): readonly EventResult[] {
    return this.results;
  }

  accept(event: BaseEvent, context: AsyncResource): Part {
    this.#lifecycle = lifecycleOf(event);
    // Its own: a function may change it, and others have come with the same one.
    this.#context = context.runInAsyncScope(() => new AsyncResource('threadbus.call'));
    this.#lifecycle.attach(this);
    const { turns } = this.#target;
    if (turns === undefined) this.begin();
    else turns.wait(this);
    return this;
  }

  /** It is its turn. */
  begin(): void {
    const lifecycle = this.#lifecycle as Lifecycle;
    const event = lifecycle.event as BaseEvent;
    const { source, handler, resultId } = this.#target;
    const entry: HandlerEntry = {
      source,
      pattern: '*',
      handler,
      once: false,
      timeout: null,
      target: null,
      onRemoved: null,
      holdsSlot: false,
      ownClock: true,
      isRemote: false,
      ignoresContext: this.#target.ignoresContext ?? false,
    };
    const result = new EventResult(lifecycle, source, event.event_timeout);
    if (resultId !== null) resultRestored(result, resultId, unnamed);
    this.results = [result];
    lifecycle.start();
    lifecycle.extras.onResults?.();
    // Its time is kept over there; to this side it has started.
    resultStarted(result);
    this.#run = new HandlerRun(event, entry, result, this);
    const refusal = recursionError(this.#run, this.#target.maxRecursionDepth ?? null);
    this.#entered = true;
    if (refusal === null) this.#run.start(this.#context as AsyncResource);
    else this.#run.abort(refusal);
    this.#entered = false;
  }

  /** It never begins: it is answered without a result. */
  refuse(): void {
    if (!this.over) this.#close();
  }

  promote(): void {
    // It runs already.
  }

  /** @param cause the error with which the other side has ended the handler, or why the event was cancelled */
  cancel(cause: unknown): void {
    const run = this.#run;
    if (run === null) {
      this.refuse();
      return;
    }
    this.#cancelled = true;
    const was = this.#entered;
    this.#entered = true;
    this.#abort(run, cause);
    this.#entered = was;
  }

  #abort(run: HandlerRun, cause: unknown): void {
    if (isHandlerAbortedError(cause) || isHandlerCancelledError(cause)) run.abort(cause, cause.cause);
    else if (isHandlerTimeoutError(cause)) run.abort(cause);
    else run.abort(abortedError(run.place, cause), cause);
  }

  suspended(): void {
    this.#target.onSuspended?.(true);
  }

  whenFree(_run: HandlerRun, go: () => void): void {
    go();
  }

  resumed(): void {
    this.#target.onSuspended?.(false);
  }

  returned(): void {
    // Its function is one of this thread: what has ended has settled.
  }

  /** Answered when the children are done too, so that the other side gets them complete. */
  settled(run: HandlerRun): void {
    const { onSettled, onSuspended } = this.#target;
    if (!this.#entered && run.runner.children.length === 0) {
      onSettled?.(this.#cancelled ? 'cancelled' : 'answers');
      this.#close();
      return;
    }
    let done = false;
    whenChildrenDone([run.runner], () => {
      done = true;
      soon(() => this.#close());
    });
    onSettled?.(this.#cancelled ? 'cancelled' : done ? 'answers' : 'waits');
    // Its children may need the thread that has nothing to do but wait for them.
    if (!done) onSuspended?.(true);
  }

  delivered(): void {
    // Counted on the other side.
  }

  completed(): void {
    // Nothing is kept of it elsewhere.
  }

  #close(): void {
    this.over = true;
    this.onDone?.();
    this.#lifecycle?.partDone();
  }
}
