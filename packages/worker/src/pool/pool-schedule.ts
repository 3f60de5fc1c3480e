import { defaultLogger, type HandlerRun, startTimer, type Timer } from '@threadbus/core/internal';
import type { WhereIs } from '../thread/stuck-at.ts';
import { type IdleLimits, IdleThreads } from './idle-threads.ts';
import { type CallHolder, PoolCall } from './pool-call.ts';
import { capacityError, stoppedError } from './pool-errors.ts';
import type { ResolvedPoolOptions } from './pool-options.ts';
import { PoolCounts, type PoolStats } from './pool-stats.ts';
import { PoolThread } from './pool-thread.ts';
import { idleError, noStartError } from './thread-errors.ts';
import type { ThreadHost } from './thread-host.ts';
import { WaitingCalls } from './waiting-calls.ts';

/** Seconds without further starts after one that failed, as long as other threads are there for the calls. */
const startPause = 1;
/** Seconds of work ahead of a thread for which another is woken. */
const worthwhile = 0.0005;

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
 * replaced at once only if they had been given a call.
 */
export class PoolSchedule implements ThreadHost<PoolThread>, CallHolder, IdleLimits {
  readonly #options: ResolvedPoolOptions;
  readonly #counts: PoolCounts;
  readonly #waiting = new WaitingCalls();
  /** All that are not gone. */
  readonly #threads = new Set<PoolThread>();
  readonly #idle = new IdleThreads(this);
  readonly #readiness = new Set<{ readonly resolve: () => void; readonly reject: (error: Error) => void }>();
  #places = 0;
  #awaiting = 0;
  #starting = 0;
  #ending = 0;
  #pause: Timer | null = null;
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
      waiting: this.#waiting.size + this.#ahead,
      completed,
      failed,
      timedOut,
      crashed,
      waitTime: waitTime.summary,
      runTime: runTime.summary,
      utilization,
    };
  }

  /** Has the run's work done in a thread; if `direct`, it is told what comes of it. @returns what its handler is to return */
  run(run: HandlerRun, entry: string, direct: boolean): unknown {
    const call = new PoolCall(run, entry, this, this.#counts, direct);
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
    this.#waiting.remove(call);
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
    this.#idle.add(thread);
    this.#fill();
    this.#relieve();
    this.#idle.watch();
  }

  ending(thread: PoolThread): void {
    this.#ending += 1;
    this.#idle.remove(thread);
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

  get idleTimeout(): number | null {
    return this.#options.idleTimeout;
  }

  get minThreads(): number {
    return this.#options.minThreads;
  }

  get live(): number {
    return this.#threads.size - this.#ending;
  }

  get hasExtra(): boolean {
    return this.live - this.#awaiting > this.#options.maxThreads;
  }

  get hasIdle(): boolean {
    return this.#idle.size > 0;
  }

  advanced(thread: PoolThread): void {
    const first = this.#waiting.firstAhead;
    if (first === null) return;
    const room = this.#counts.lately.ahead(first.entry);
    // Half of them at a time: each time costs a message.
    if (thread.calls.ahead > room / 2) return;
    this.#giveAhead(thread);
  }

  takeBack(calls: readonly PoolCall[]): void {
    for (const call of [...calls].reverse()) {
      call.takeBack(this);
      if (this.#isStopped) call.fail(stoppedError());
      else this.#waiting.putFirst(call, false);
    }
  }

  again(call: PoolCall): boolean {
    if (this.#isStopped || !call.loseThread(this)) return false;
    this.#waiting.putFirst(call, true);
    return true;
  }

  place(taken: boolean, at?: number): void {
    this.#places += taken ? 1 : -1;
    this.#counts.take(this.#places, at);
  }

  awaiting(awaiting: boolean): void {
    this.#awaiting += awaiting ? 1 : -1;
  }

  changed(): void {
    this.#fill();
  }

  /** Calls that threads have besides those that they work for. */
  get #ahead(): number {
    let ahead = 0;
    for (const thread of this.#threads) ahead += thread.calls.ahead;
    return ahead;
  }

  get #isReady(): boolean {
    return this.live - this.#starting >= Math.max(1, this.#options.minThreads);
  }

  #add(call: PoolCall): void {
    const { maxQueue } = this.#options;
    this.#waiting.add(call);
    this.#fill();
    if (call.list === null) return;
    const waiting = maxQueue === null ? 0 : this.#waiting.size + this.#ahead - this.#starting;
    if (maxQueue === null || waiting <= maxQueue) {
      this.#addAhead(call);
      return;
    }
    this.#waiting.remove(call);
    call.fail(capacityError(call, this.#places, waiting - 1, maxQueue));
  }

  /** A further call goes to the thread that has the least before it; if others wait, threads will ask for them. */
  #addAhead(call: PoolCall): void {
    if (this.#waiting.firstAhead !== call || this.#counts.lately.ahead(call.entry) === 0) return;
    let best: PoolThread | null = null;
    for (const thread of this.#threads) {
      if ((best === null || thread.calls.ahead < best.calls.ahead) && thread.takesAhead(call)) best = thread;
    }
    if (best !== null) this.#giveAhead(best);
  }

  /** Gives a thread what it will come to soon, as things look. */
  #giveAhead(thread: PoolThread): void {
    // What a handler awaits, and what a thread starts for, is given to a thread that does nothing else.
    while (this.#starting === 0) {
      const call = this.#waiting.firstAhead;
      if (call === null || thread.calls.ahead >= this.#counts.lately.ahead(call.entry) || !thread.takesAhead(call))
        return;
      this.#waiting.remove(call);
      thread.give(call);
    }
  }

  /** Threads that have nothing to do take over what others were given ahead, if it is worth the message. */
  #relieve(): void {
    while (this.#idle.size > 0 && this.#waiting.size === 0 && this.#places < this.#options.maxThreads) {
      const call = this.#mostLoaded()?.calls.takeFirst() ?? null;
      if (call === null) return;
      this.takeBack([call]);
      this.#fill();
    }
  }

  #mostLoaded(): PoolThread | null {
    let most: PoolThread | null = null;
    for (const thread of this.#threads) if (thread.calls.ahead > (most?.calls.ahead ?? 0)) most = thread;
    return most !== null && most.calls.expected(this.#counts.lately) >= worthwhile ? most : null;
  }

  /** Gives threads to those that wait, as many as there is room for. */
  #fill(): void {
    while (this.#waiting.size > 0 && this.#places < this.#options.maxThreads) {
      const thread = this.#idle.take();
      if (thread === null) break;
      const call = this.#waiting.first as PoolCall;
      this.#waiting.remove(call);
      thread.give(call);
    }
    while (this.#waiting.size > this.#starting && this.#places < this.#options.maxThreads) {
      if (!this.#mayStart || !this.#start()) break;
    }
    if (this.#starting > 0 && this.#waiting.size > 0) for (const thread of this.#threads) thread.hold();
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
    while (this.live < wanted && this.#places < this.#options.maxThreads) {
      if (!this.#mayStart || !this.#start()) return;
    }
  }

  #failStart(error: Error): void {
    if (this.#isStopped) return;
    // One whose handler awaits an event may be waiting for these very calls.
    const others = this.live - this.#awaiting;
    for (const { reject } of this.#readiness) reject(error);
    this.#readiness.clear();
    if (others > 0) {
      this.#pause ??= startTimer(
        startPause,
        () => {
          this.#pause = null;
          this.#fill();
        },
        this.#waiting.size > 0,
      );
      return;
    }
    if (this.#waiting.size === 0) defaultLogger().error(error.message);
    for (const call of this.#waiting.takeAll()) call.fail(error);
  }

  async #stop(): Promise<void> {
    const error = stoppedError();
    for (const { reject } of this.#readiness) reject(error);
    this.#readiness.clear();
    this.#pause?.cancel();
    this.#idle.stop();
    for (const call of this.#waiting.takeAll()) call.fail(error);
    await Promise.all([...this.#threads].map(async (thread) => thread.stop(error)));
  }
}
