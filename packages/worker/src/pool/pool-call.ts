import type { BaseEvent, EventResult, StuckFrame } from '@threadbus/core';
import {
  completedAtOf,
  fromEpoch,
  type HandlerRun,
  later,
  type Linked,
  type LinkedList,
  soon,
  startedAtOf,
  startTimer,
  type ThreadPlace,
  type Timer,
} from '@threadbus/core/internal';
import { EventBus } from '@threadbus/core/internal/bus';
import { LinkError } from '@threadbus/link';
import { adoptChildren, captureContext, type RemotePart } from '@threadbus/link/internal';
import { WorkerCrashedError } from '../errors.ts';
import { monotonic } from '../thread/monotonic.ts';
import { sayStuckAt } from '../thread/stuck-at.ts';
import type { Overrun } from './overrun.ts';

/** A call that was given to so many threads, none of which took it, fails. */
const maxThreadsLost = 3;

/** Who has the call at the moment. */
export interface CallHolder {
  /** Its handler was ended from outside: by its time, a cancel, a stop. */
  ended(call: PoolCall, reason: Error): void;
  /** Its time is up: calls `timeOut`, at once or when it is known where the handler is, unless it is done. */
  timeUp(call: PoolCall): Overrun | null;
  /** Before it is cancelled: from now on it is taken, or never will be. */
  decide(call: PoolCall): void;
}

/** Why a call has come to no result. */
export interface CallFailure {
  readonly error: unknown;
}

/** Who counts calls. */
export interface CallCounts {
  /**
   * @param failure null if the handler has come to a result
   * @param waited seconds until a thread took it, `ran` from then on; null if none did
   */
  ended(failure: CallFailure | null, waited: number | null, ran: number | null): void;
  /** A function of that module has taken so many seconds, as its thread says. */
  took(entry: string, seconds: number): void;
}

/**
 * One handler run whose work is to be done in a pool thread.
 *
 *   waiting ──a thread is free, or will be soon──▶ given ──the thread takes it──▶ taken ──its answer──▶ settled
 *      ▲                                             │
 *      ├──the thread dies, or is ended because it doesn't take it when it is its turn
 *      └──it was given ahead, and would have to wait too long
 *
 * Each state has its clock and its ends:
 * - *waiting* has no clock of its own: some thread is at work, or one starts under `startTimeout`. If none is up and
 *   the start fails, the call fails with the reason.
 * - *given*: if its module isn't loaded there yet, that goes first, under `startTimeout`, and the event isn't even sent.
 *   Then the thread has a second to take it, or less if it has functions of ended handlers (see PoolThread). One that
 *   doesn't is ended; the call goes to the front of those that wait, and from now on its event's time runs. One that was
 *   given *ahead* of its turn has no clock, and nothing is held against it: it is taken back and goes to the front when
 *   the call before it takes longer than was thought, awaits an event, is ended or dies with the thread, or when another
 *   thread has nothing to do.
 * - *taken*: its event's time runs from when the thread took it until the function has ended; the events that it has
 *   dispatched have times of their own. One that blocks its thread then is asked first where it is (see Overrun). If the
 *   thread dies, the call fails.
 * - Whatever ends the handler from outside (its time, a cancel, a stop of bus or pool) ends it here at once in every
 *   state. Whether it had begun is decided in shared memory (see Desk): what had not never will.
 * - A call that was given three times and never taken fails; so does one whose buffers have moved to the lost thread.
 */
export class PoolCall implements Linked<PoolCall> {
  previous: PoolCall | null = null;
  next: PoolCall | null = null;
  /** The list in which it waits. */
  list: LinkedList<PoolCall> | null = null;
  state: 'waiting' | 'given' | 'taken' | 'settled' = 'waiting';
  readonly run: HandlerRun;
  /** URL of the handler's module. */
  readonly entry: string;
  /** The bus that runs the handler. */
  readonly bus: EventBus;
  /** Values of portable contexts where the handler was called. */
  readonly context: Record<string, unknown> | null;
  /** The event's part in the thread, once it was sent. */
  part: RemotePart | null = null;
  /** Under which the thread knows it. */
  number = 0;
  readonly #calledAt = monotonic();
  readonly #counts: CallCounts;
  /** What the run's handler is to return: a promise, or `later` if the run itself is told. */
  readonly outcome: unknown = later;
  /** Of that promise. */
  #resolve: ((value: unknown) => void) | null = null;
  #reject: ((error: unknown) => void) | null = null;
  #holder: CallHolder;
  /** Where it runs, or is to. */
  #place: ThreadPlace | null = null;
  #takenAt: number | null = null;
  #timer: Timer | null = null;
  #overrun: Overrun | null = null;
  #threadsLost = 0;

  /** @throws LinkError if the run's bus is elsewhere */
  constructor(run: HandlerRun, entry: string, holder: CallHolder, counts: CallCounts, direct: boolean) {
    const { bus } = run;
    if (!(bus instanceof EventBus)) {
      throw new LinkError(
        `A pool's handler must be registered on an EventBus of the pool's own thread; ${bus.name} is elsewhere.`,
      );
    }
    this.run = run;
    this.entry = entry;
    this.bus = bus;
    this.context = captureContext(run.event);
    this.#holder = holder;
    this.#counts = counts;
    if (!direct) {
      this.outcome = new Promise((resolve, reject) => {
        this.#resolve = resolve;
        this.#reject = reject;
      });
    }
    run.whenAborted((reason) => this.#ended(reason));
    run.onCancel = () => this.#holder.decide(this);
  }

  get event(): BaseEvent {
    return this.run.event;
  }

  get handlerName(): string {
    return this.run.entry.source.handlerName;
  }

  /** A thread has it. */
  give(holder: CallHolder, place: ThreadPlace): void {
    this.state = 'given';
    this.#holder = holder;
    this.#place = place;
  }

  /** Its thread has not begun with it, and won't: another may have it. */
  takeBack(holder: CallHolder): void {
    this.part = null;
    this.number = 0;
    this.state = 'waiting';
    this.#holder = holder;
  }

  /** The thread has taken it at that moment, in monotonic seconds. */
  take(at: number): void {
    this.state = 'taken';
    this.#takenAt = at;
    const { runner } = this.run;
    if (runner.settled) return;
    const elapsed = monotonic() - at;
    this.run.begin(fromEpoch(Date.now() - elapsed * 1000), this.#place);
    this.#startClock(elapsed);
  }

  /** Its thread is lost, and had not taken it: it should have begun by now. @returns whether another thread may have it */
  loseThread(holder: CallHolder): boolean {
    this.#threadsLost += 1;
    if (this.part?.moved === true || this.#threadsLost === maxThreadsLost) return false;
    this.takeBack(holder);
    this.#startClock(0);
    return true;
  }

  /** Its function awaits an event, or has returned and leaves events to be waited for; or it goes on. */
  suspended(suspended: boolean, returned: boolean): void {
    this.run.movedOn(returned ? 'returned' : suspended ? 'awaits' : 'goes on');
  }

  /** The function's result is there, at that moment in monotonic seconds; undefined if the thread has refused the call. */
  answer(result: EventResult | undefined, takenAt: number | null, at: number): void {
    if (result !== undefined) adoptChildren(this.run, result);
    if (this.state === 'settled') return;
    this.#takenAt ??= takenAt;
    if (result === undefined) {
      this.fail(new WorkerCrashedError(`The pool thread of ${this.handlerName} gave no answer.`));
      return;
    }
    if (takenAt !== null && result.status === 'completed')
      this.#counts.took(this.entry, (completedAtOf(result) - startedAtOf(result)) / 1000);
    // One that could not be sent has begun nowhere.
    if (takenAt !== null || result.status === 'completed') this.run.begin(startedAtOf(result), this.#place);
    if (result.status === 'error') {
      this.fail(result.error);
      return;
    }
    this.#settle(null, at);
    if (this.#resolve === null) this.run.succeed(result.result);
    else this.#resolve(result.result);
  }

  /** Its time is up, and its handler goes on. @param at where it blocks its thread; null if it doesn't, or nobody knows */
  timeOut(at: readonly StuckFrame[] | null): void {
    if (this.state === 'settled') return;
    this.run.timeOut((error) => (at === null ? error : sayStuckAt(error, at)));
  }

  fail(error: unknown): void {
    if (this.state === 'settled') return;
    this.#settle({ error });
    // Never within what has made it fail: others are told there of calls of theirs.
    if (this.#reject === null) soon(() => this.run.fail(error));
    else this.#reject(error);
  }

  #ended(reason: Error): void {
    if (this.state === 'settled') return;
    const holder = this.#holder;
    this.#settle({ error: reason });
    // Nobody looks at it: the run has settled.
    this.#resolve?.(undefined);
    holder.ended(this, reason);
  }

  #settle(failure: CallFailure | null, endedAt: number = monotonic()): void {
    this.state = 'settled';
    this.#timer?.cancel();
    this.#timer = null;
    this.#overrun?.cancel();
    this.#overrun = null;
    const at = this.#takenAt;
    if (at === null) this.#counts.ended(failure, null, null);
    else this.#counts.ended(failure, at - this.#calledAt, endedAt - at);
  }

  /** Its time is kept here and not by the run: what is done is a result, also if this thread was held up meanwhile. */
  #startClock(elapsed: number): void {
    const { timeout } = this.run.runner;
    if (timeout === null || this.#timer !== null) return;
    this.#timer = startTimer(Math.max(0, timeout - elapsed), () => this.#timeUp(), true);
  }

  #timeUp(): void {
    this.#timer = null;
    if (!this.run.runner.settled) this.#overrun = this.#holder.timeUp(this);
  }
}
