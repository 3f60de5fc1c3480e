import type { Readable } from 'node:stream';
import type { StopOptions, WaitOptions } from '@threadbus/core';
import { checkFlag, checkOptions, checkSignal, checkWait, liveHandler } from '@threadbus/core/internal';
import { BusReference } from '@threadbus/link/internal';
import { workerBuses } from './instances.ts';
import { checkEntry, resolveWorkerOptions, type WorkerBusOptions } from './options.ts';
import { WorkerProcess } from './process/worker-process.ts';
import type { WorkerBusStats } from './thread/bus-meter.ts';
import type { WhereIs } from './thread/stuck-at.ts';
import { monotonic } from './thread/monotonic.ts';
import { Supervisor } from './thread/supervisor.ts';
import type { TimeHistogram } from './thread/time-histogram.ts';
import { WorkerThread } from './thread/worker-thread.ts';

/** For the sums of a group. */
export let roundTripOf: (bus: WorkerBus) => TimeHistogram;

/**
 * A bus that lives in a thread of its own; to be used like an EventBus.
 *
 * What a handler does over there never blocks this thread, and `while (true) {}` ends when its time is up: the thread
 * is replaced, events that had not started go to the replacement. An idle one doesn't keep the process alive.
 *
 * What a handler prints comes out before its answer, and is never lost when an answer, a stop or an exit follows. Only a
 * blocked thread that is ended takes with it what it has printed since it blocked: Node passes it on between its turns.
 *
 * @example
 * ```ts
 * const main = new EventBus({ name: 'Main' });
 * await using index = await WorkerBus.start(new URL('./index-bus.js', import.meta.url), { parent: main });
 * main.on(FileFound, index.dispatch);          // forward down
 * index.on('*', main.dispatch);                // forward up
 * await main.dispatch(new FileFound({ path }));   // waits for the thread's handlers too
 * ```
 */
export class WorkerBus extends BusReference implements AsyncDisposable {
  static {
    roundTripOf = (bus) => bus.#supervisor.roundTrip;
  }

  readonly #supervisor: Supervisor;

  private constructor(supervisor: Supervisor) {
    // JavaScript and tests know nothing of `private`.
    if (!(supervisor instanceof Supervisor)) {
      throw new TypeError('A WorkerBus is started, not made: await WorkerBus.start(url, { parent: bus }).');
    }
    super(supervisor.remote);
    this.#supervisor = supervisor;
    workerBuses.add(this);
  }

  /**
   * Starts a thread and resolves once its entry file has called `exposeBus(bus)`.
   *
   * @param entry JavaScript file that makes a bus and exposes it; runs again when the thread is replaced
   * @throws WorkerStartError saying what happened, if the thread can't be started; no thread is left behind then
   * @example
   * ```ts
   * const index = await WorkerBus.start(new URL('./index-bus.js', import.meta.url), { parent: main, startTimeout: 30 });
   * ```
   */
  static async start(entry: URL | string, options: WorkerBusOptions = {}): Promise<WorkerBus> {
    const url = checkEntry(entry, 'the entry file of a WorkerBus');
    const resolved = resolveWorkerOptions(options);
    const Host = resolved.isolation === 'process' ? WorkerProcess : WorkerThread;
    return new WorkerBus(await Supervisor.start(url, resolved, (...plan) => new Host(...plan)));
  }

  /** Of the thread at this moment: another after a restart, -1 while there is none. */
  get threadId(): number {
    return this.#supervisor.threadId;
  }

  /** Of the process in which it lives: this one, unless it was started with `isolation: 'process'`; -1 while there is none. */
  get pid(): number {
    return this.#supervisor.pid;
  }

  /** What its threads print, over all restarts, if it was started with `stdout: true`; else null. Ends with the bus. */
  get stdout(): Readable | null {
    return this.#supervisor.output.stdout;
  }

  /** The same for what they print as errors, if it was started with `stderr: true`. */
  get stderr(): Readable | null {
    return this.#supervisor.output.stderr;
  }

  /** Events under way there, from here: sent, or waiting to be. */
  get inFlight(): number {
    return this.#supervisor.remote.outgoing.size;
  }

  /** Why the bus takes no events any more: it was stopped, or crashed too often; null while it does. */
  get failure(): Error | null {
    return this.#supervisor.remote.failure;
  }

  /**
   * Numbers of what is sent there from here: how much is under way, what became of it, how long it took.
   *
   * Counted where it happens, so that asking costs nothing; a thread that blocks doesn't matter.
   *
   * @throws nothing
   * @example
   * ```ts
   * const { inFlight, waiting, roundTrip } = index.stats();
   * console.log(`${inFlight} sent, ${waiting} waiting, 99 of 100 within ${roundTrip?.p99} s`);
   * ```
   */
  stats(): WorkerBusStats {
    return this.#supervisor.stats;
  }

  /**
   * What the bus's thread is doing right now, without ending it: which handler for which event, and its stack.
   *
   * The thread stands still for a moment. Empty if it has nothing to do, or where it can't be had: in a native call, in
   * a process of its own, beside a debugger, from another thread than the main one.
   *
   * @returns within 2 s, also for a thread that doesn't answer
   * @throws nothing
   * @example
   * ```ts
   * for (const { handlerName, frames } of await index.whereIs()) console.log(handlerName, frames[0]);
   * ```
   */
  async whereIs(): Promise<readonly WhereIs[]> {
    return this.#supervisor.whereIs();
  }

  /**
   * Waits until no event of the bus over there is incomplete, and none is on its way there.
   *
   * @returns false if the time was up first
   * @throws AwaitCycleError inside a handler that the bus over there waits for; WorkerCrashedError if its thread dies
   *   meanwhile; the signal's reason
   * @example
   * ```ts
   * if (!(await index.waitUntilIdle({ timeout: 10 }))) console.log(await index.logTree());
   * ```
   */
  async waitUntilIdle(options: WaitOptions = {}): Promise<boolean> {
    checkOptions('waitUntilIdle', options, ['timeout', 'signal']);
    checkSignal(options.signal);
    const timeout = checkWait('timeout (seconds)', options.timeout);
    if (liveHandler() !== null) return this.#idleWithin(timeout, options.signal);
    return this.#supervisor.control.waitUntilIdle(timeout, options.signal);
  }

  /**
   * The tree of the events that the bus over there remembers, in bubus's format.
   *
   * @throws WorkerCrashedError if its thread dies before it answers; BusStoppedError
   * @example
   * ```ts
   * console.log(await index.logTree());
   * ```
   */
  async logTree(): Promise<string> {
    return this.#supervisor.control.ask('logTree', undefined);
  }

  /**
   * Stops the bus over there, as `EventBus.stop` does, and ends its thread; doesn't wait for the thread's last breath.
   *
   * Works on a blocked thread too: it has a second to answer. Every event settles. Stopping twice does no harm.
   *
   * @throws TypeError for options that make no sense
   * @example
   * ```ts
   * await index.stop({ timeout: 5 });   // up to 5 s for what is under way
   * ```
   */
  async stop(options: StopOptions = {}): Promise<void> {
    checkOptions('stop', options, ['timeout', 'clear']);
    checkFlag('clear', options.clear);
    const wait = checkWait('timeout (seconds)', options.timeout ?? 0);
    const isAwait = liveHandler() !== null && wait !== 0 && this.failure === null;
    // What it waits for may need the handler's bus. What needs the handler itself has to be ended.
    if (isAwait) await this.#idleWithin(wait, undefined).catch(() => false);
    await this.#supervisor.stop(isAwait ? 0 : wait, options.clear ?? false);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** As an await of the handler that calls; if the thread is being replaced, for its replacement. */
  async #idleWithin(timeout: number | null, signal: AbortSignal | undefined): Promise<boolean> {
    const { remote } = this.#supervisor;
    const end = timeout === null ? null : monotonic() + timeout;
    for (;;) {
      await this.#supervisor.thread(signal);
      const left = end === null ? null : Math.max(0, end - monotonic());
      if (await remote.waitUntilIdle(left, signal)) return true;
      if (left === 0 || (end !== null && monotonic() >= end)) return false;
    }
  }
}
