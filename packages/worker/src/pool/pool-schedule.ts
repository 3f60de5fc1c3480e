import {
  defaultLogger,
  type HandlerRun,
  lifecycleOf,
  LinkedList,
  startTimer,
  type Timer,
} from '@threadbus/core/internal';
import { monotonic } from '../thread/monotonic.ts';
import type { WhereIs } from '../thread/stuck-at.ts';
import { type CallHolder, PoolCall } from './pool-call.ts';
import { capacityError, stoppedError } from './pool-errors.ts';
import type { ResolvedPoolOptions } from './pool-options.ts';
import { PoolCounts, type PoolStats } from './pool-stats.ts';
import { PoolThread } from './pool-thread.ts';
import { idleError, noStartError } from './thread-errors.ts';
import type { ThreadHost } from './thread-host.ts';

/** Seconds without further starts after one that failed, as long as other threads are there for the calls. */
const startPause = 1;
/** Seconds that a thread beyond `maxThreads` is kept for the next call, once there is nothing to do for it. */
const extraTime = 0.5;

/**
 * Who gets which thread, and how many there are.
 *
 * A thread takes a *place* from its start to its end, except while it is idle or its handler awaits an event. At most
 * `maxThreads` places are taken by what is started here: a call gets an idle thread, else a new one starts for it, else
 * it waits, first come first served, but for calls that a handler awaits. So there are never more threads than `maxThreads` and those that await; an idle
 * one beyond that is ended after half a second.
 *
 * No start is repeated for its own sake: one that fails costs the calls that wait, if no other thread is at work or on its
 * way; else they wait for that one, and for a second none is started. A thread whose handler awaits an event doesn't
 * count: that may be one of the calls. Threads up to `minThreads` that are lost are
 * replaced only if they had been of use.
 */
export class PoolSchedule implements ThreadHost<PoolThread>, CallHolder {
  readonly #options: ResolvedPoolOptions;
  readonly #counts: PoolCounts;
  /** Those of events that a handler awaits go first: with its result the handler ends, and its thread is free. */
  readonly #urgent = new LinkedList<PoolCall>();
  readonly #others = new LinkedList<PoolCall>();
  /** All that are not gone. */
  readonly #threads = new Set<PoolThread>();
  /** The one that was used last at the end. */
  readonly #idle: PoolThread[] = [];
  readonly #readiness = new Set<{ readonly resolve: () => void; readonly reject: (error: Error) => void }>();
  #places = 0;
  #awaiting = 0;
  #starting = 0;
  #ending = 0;
  #pause: Timer | null = null;
  #idleTimer: Timer | null = null;
  #extraTimer: Timer | null = null;
  #isStopped = false;
  #stopped: Promise<void> | null = null;

  constructor(options: ResolvedPoolOptions) {
    this.#options = options;
    this.#counts = new PoolCounts(options.maxThreads);
    this.#keepMinimum();
  }

  get stats(): PoolStats {
    const { completed, failed, timedOut, crashed, waitTime, runTime, utilization } = this.#counts;
    return {
      threads: this.#threads.size,
      running: this.#places - this.#starting - this.#ending,
      awaiting: this.#awaiting,
      waiting: this.#waiting,
      completed,
      failed,
      timedOut,
      crashed,
      waitTime: waitTime.summary,
      runTime: runTime.summary,
      utilization,
    };
  }

  /** Has the run's work done in a thread. @returns the handler's value */
  run(run: HandlerRun, entry: string): Promise<unknown> {
    const call = new PoolCall(run, entry, this, this.#counts);
    if (this.#isStopped) call.fail(stoppedError());
    else this.#add(call);
    return call.outcome;
  }

  /** Resolves once so many threads are there as are to be kept, at least one. */
  async ready(): Promise<void> {
    if (this.#isStopped) throw stoppedError();
    if (this.#isReady) return;
    const ready = new Promise<void>((resolve, reject) => {
      this.#readiness.add({ resolve, reject });
    });
    this.#keepMinimum();
    for (const thread of this.#threads) thread.hold();
    await ready;
  }

  /** What the threads with calls are doing. */
  async whereIs(): Promise<readonly WhereIs[]> {
    const seen = await Promise.all([...this.#threads].map(async (thread) => thread.whereIs()));
    return seen.filter((where) => where !== null);
  }

  async stop(): Promise<void> {
    // Told first: what ends because of it starts nothing anew.
    this.#isStopped = true;
    this.#stopped ??= this.#stop();
    await this.#stopped;
  }

  /** A call that waits was ended from outside. */
  ended(call: PoolCall): void {
    this.#unqueue(call);
  }

  timeUp(call: PoolCall): null {
    call.timeOut(null);
    return null;
  }

  decide(): void {
    // It is not taken, and is off the list in the step that follows.
  }

  up(): void {
    this.#starting -= 1;
    if (!this.#isReady) return;
    for (const { resolve } of this.#readiness) resolve();
    this.#readiness.clear();
  }

  startFailed(_thread: PoolThread, error: Error): void {
    this.#starting -= 1;
    this.#failStart(error);
  }

  idle(thread: PoolThread): void {
    if (thread.worn) {
      void thread.stop(idleError());
      return;
    }
    this.#idle.push(thread);
    this.#fill();
    this.#watchIdle();
  }

  ending(thread: PoolThread): void {
    this.#ending += 1;
    const at = this.#idle.indexOf(thread);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  gone(thread: PoolThread): void {
    this.#ending -= 1;
    this.#threads.delete(thread);
    if (this.#isStopped) return;
    if (thread.useful) this.#keepMinimum();
    this.#fill();
  }

  diedIdle(error: Error): void {
    defaultLogger().error(
      `A pool thread crashed after its handler had ended, by what that had left running: ${error.message}`,
    );
  }

  again(call: PoolCall): boolean {
    if (this.#isStopped || !call.loseThread(this)) return false;
    call.list = this.#urgent;
    this.#urgent.insertAfter(null, call);
    return true;
  }

  place(taken: boolean): void {
    this.#places += taken ? 1 : -1;
    this.#counts.taken = this.#places;
  }

  awaiting(awaiting: boolean): void {
    this.#awaiting += awaiting ? 1 : -1;
  }

  changed(): void {
    this.#fill();
  }

  get #waiting(): number {
    return this.#urgent.size + this.#others.size;
  }

  get #isReady(): boolean {
    return this.#threads.size - this.#starting - this.#ending >= Math.max(1, this.#options.minThreads);
  }

  #add(call: PoolCall): void {
    const { maxQueue } = this.#options;
    call.list = lifecycleOf(call.event).awaited ? this.#urgent : this.#others;
    call.list.push(call);
    this.#fill();
    if (call.list === null || maxQueue === null) return;
    if (this.#waiting - this.#starting <= maxQueue) return;
    this.#unqueue(call);
    call.fail(capacityError(call, this.#places, this.#waiting - this.#starting, maxQueue));
  }

  #unqueue(call: PoolCall): void {
    call.list?.remove(call);
    call.list = null;
  }

  /** Gives threads to those that wait, as many as there is room for. */
  #fill(): void {
    while (this.#waiting > 0 && this.#places < this.#options.maxThreads) {
      const thread = this.#takeIdle();
      if (thread === null) break;
      const call = (this.#urgent.first ?? this.#others.first) as PoolCall;
      this.#unqueue(call);
      thread.give(call);
    }
    while (this.#waiting > this.#starting && this.#places < this.#options.maxThreads) {
      if (!this.#mayStart || !this.#start()) break;
    }
    if (this.#starting > 0 && this.#waiting > 0) for (const thread of this.#threads) thread.hold();
  }

  /** The one that was used last; rather one in which nothing goes on of handlers that were ended. */
  #takeIdle(): PoolThread | null {
    for (let at = this.#idle.length - 1; at >= 0; at -= 1) {
      const thread = this.#idle[at] as PoolThread;
      if (!thread.hasLeftovers) {
        this.#idle.splice(at, 1);
        return thread;
      }
    }
    return this.#idle.pop() ?? null;
  }

  get #mayStart(): boolean {
    return !this.#isStopped && this.#pause === null;
  }

  /** @returns whether one starts */
  #start(): boolean {
    this.#starting += 1;
    try {
      this.#threads.add(new PoolThread(this, this.#options.thread));
      return true;
    } catch (error) {
      this.#starting -= 1;
      this.#failStart(noStartError(error));
      return false;
    }
  }

  /** Starts what is to be there without a call. */
  #keepMinimum(): void {
    const wanted = Math.max(this.#readiness.size > 0 ? 1 : 0, this.#options.minThreads);
    while (this.#threads.size - this.#ending < wanted && this.#places < this.#options.maxThreads) {
      if (!this.#mayStart || !this.#start()) return;
    }
  }

  #failStart(error: Error): void {
    if (this.#isStopped) return;
    // One whose handler awaits an event may be waiting for these very calls.
    const others = this.#threads.size - this.#ending - this.#awaiting;
    for (const { reject } of this.#readiness) reject(error);
    this.#readiness.clear();
    if (others > 0) {
      this.#pause ??= startTimer(
        startPause,
        () => {
          this.#pause = null;
          this.#fill();
        },
        this.#waiting > 0,
      );
      return;
    }
    if (this.#waiting === 0) defaultLogger().error(error.message);
    for (const call of [...this.#urgent, ...this.#others]) {
      this.#unqueue(call);
      call.fail(error);
    }
  }

  /** One timer for all threads that have nothing to do. */
  #watchIdle(): void {
    const { idleTimeout, minThreads, maxThreads } = this.#options;
    const live = this.#threads.size - this.#ending;
    if (this.#idle.length > 0 && live - this.#awaiting > maxThreads)
      this.#extraTimer ??= this.#idleIn(extraTime, 'extra');
    if (idleTimeout !== null && live > minThreads) this.#idleTimer ??= this.#idleIn(idleTimeout, 'idle');
  }

  #idleIn(seconds: number, kind: 'idle' | 'extra'): Timer {
    return startTimer(
      seconds,
      () => {
        if (kind === 'extra') this.#extraTimer = null;
        else this.#idleTimer = null;
        this.#endIdle();
      },
      false,
    );
  }

  #endIdle(): void {
    const { idleTimeout, minThreads, maxThreads } = this.#options;
    const at = monotonic();
    // Ending one takes it off the list.
    for (const thread of [...this.#idle]) {
      const live = this.#threads.size - this.#ending;
      const extra = live - this.#awaiting > maxThreads;
      const limit = extra ? extraTime : idleTimeout;
      if (limit === null || live <= minThreads) return;
      if (at - thread.idleSince >= limit) void thread.stop(idleError());
    }
    this.#watchIdle();
  }

  async #stop(): Promise<void> {
    const error = stoppedError();
    for (const { reject } of this.#readiness) reject(error);
    this.#readiness.clear();
    for (const timer of [this.#pause, this.#idleTimer, this.#extraTimer]) timer?.cancel();
    const calls = [...this.#urgent, ...this.#others];
    for (const call of calls) {
      this.#unqueue(call);
      call.fail(error);
    }
    await Promise.all([...this.#threads].map(async (thread) => thread.stop(error)));
  }
}
