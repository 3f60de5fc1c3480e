import type { StopOptions, WaitOptions } from '@threadbus/core';
import { BusStoppedError } from '@threadbus/core';
import { checkWait } from '@threadbus/core/internal';
import { BusReference } from './bus-reference.ts';
import { checkEntry, resolveWorkerOptions, type WorkerBusOptions } from './options.ts';
import { Supervisor } from './supervisor.ts';

/** Seconds that a thread gets to stop its bus before it is ended anyway. */
const stopGrace = 1;

/**
 * A bus that lives in a thread of its own; to be used like an EventBus.
 *
 * What a handler does over there never blocks this thread, and `while (true) {}` ends when its time is up: the thread
 * is replaced, events that had not started go to the replacement. An idle one doesn't keep the process alive.
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
  readonly #supervisor: Supervisor;

  private constructor(supervisor: Supervisor) {
    super(supervisor.remote);
    this.#supervisor = supervisor;
  }

  /**
   * Starts a thread and resolves once its entry file has called `exposeBus(bus)`.
   *
   * @param entry JavaScript file that makes a bus and exposes it; runs again when the thread is replaced
   * @throws WorkerStartError saying what happened, if the thread can't be started; no thread is left behind then
   */
  static async start(entry: URL | string, options: WorkerBusOptions = {}): Promise<WorkerBus> {
    const url = checkEntry(entry, 'the entry file of a WorkerBus');
    return new WorkerBus(await Supervisor.start(url, resolveWorkerOptions(options)));
  }

  /** Of the thread at this moment: another after a restart. */
  get threadId(): number {
    return this.#supervisor.threadId;
  }

  /** Events under way there, from here: sent, or waiting to be. */
  get inFlight(): number {
    return this.#supervisor.remote.outgoing.size;
  }

  /**
   * Waits until no event of the bus over there is incomplete.
   *
   * @returns false if the time was up first
   */
  async waitUntilIdle({ timeout, signal }: WaitOptions = {}): Promise<boolean> {
    const wait = checkWait('timeout (seconds)', timeout);
    return this.#supervisor.ask('waitUntilIdle', wait, signal);
  }

  /** The tree of the events that the bus over there remembers. */
  async logTree(): Promise<string> {
    return this.#supervisor.ask('logTree', undefined);
  }

  /**
   * Stops the bus over there, as `EventBus.stop` does, and ends its thread; doesn't wait for the thread's last breath.
   *
   * Works on a blocked thread too. Stopping twice does no harm.
   */
  async stop(options: StopOptions = {}): Promise<void> {
    const wait = checkWait('timeout (seconds)', options.timeout === undefined ? 0 : options.timeout);
    const error = new BusStoppedError(`${this.name} was stopped. Start another with WorkerBus.start(url).`, {
      busName: this.name,
    });
    await this.#supervisor.stop({ ...options, timeout: wait }, wait === null ? null : wait + stopGrace, error);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
