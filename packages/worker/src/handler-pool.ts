import { availableParallelism } from 'node:os';
import type { ResourceLimits } from 'node:worker_threads';
import { type BaseEvent, BusStoppedError } from '@threadbus/core';
import {
  activeRun,
  checkFlag,
  checkOptions,
  checkSize,
  checkWait,
  defaultLogger,
  Fifo,
  type RemoteHandler,
  remoteHandler,
  showAs,
} from '@threadbus/core/internal';
import { Piscina } from 'piscina';
import { outsideContexts } from '@threadbus/link/internal';
import { poolEntry } from './entries.ts';
import { checkArgs, checkEntry } from './options.ts';
import { PoolCall } from './pool/pool-call.ts';
import { type LeaseHost, PoolLease, type RunTask } from './pool/pool-lease.ts';

/** Options of `new HandlerPool(…)`. */
export interface HandlerPoolOptions {
  /** Handlers that run at the same time, those that await an event not counted. @default the number of cores */
  readonly maxThreads?: number | undefined;
  /** Threads that are kept when there is nothing to do. @default 0 */
  readonly minThreads?: number | undefined;
  /** Seconds after which a thread with nothing to do ends. @default 10 */
  readonly idleTimeout?: number | undefined;
  /** Memory limits of each thread; one that exceeds them counts as crashed. @default Node's */
  readonly resourceLimits?: ResourceLimits | undefined;
  /** Node options of the threads. @default [] */
  readonly execArgv?: readonly string[] | undefined;
}

/** Options of `pool.handler(…)`. */
export interface PoolHandlerOptions {
  /** Hold the bus's serial slot, so that the next event waits for this handler. @default false */
  readonly ordered?: boolean | undefined;
}

/** A handler whose function runs in a pool thread. What it returns is checked where it runs. */
export type PoolHandler<R> = (event: BaseEvent) => Promise<R>;

/** More threads than this never run at once, whatever awaits what. */
const threadLimit = 4096;
/** Seconds. */
const defaultIdle = 10;

/**
 * Threads for CPU-heavy handlers: register what `handler()` returns on any bus of this thread.
 *
 * Such a handler starts in its turn and counts for its event's completion, but doesn't hold the bus's slot, so many
 * events use all threads. Its time starts when a thread takes it. When its time is up it gets its `signal`; a thread
 * that doesn't react is killed and replaced. When handlers await events, others may use their place, so pool calls
 * within pool calls can't starve each other. An idle pool doesn't keep the process alive.
 *
 * @example
 * ```ts
 * await using pool = new HandlerPool({ maxThreads: 4 });
 * main.on(ResizeImage, pool.handler(new URL('./resize.js', import.meta.url)));
 * // resize.js: export default async (event, { signal }) => { … }
 * ```
 */
export class HandlerPool implements AsyncDisposable {
  static {
    showAs(
      this.prototype,
      (pool) => `HandlerPool(${pool.#running} running, ${pool.#waiting.size} waiting, ${pool.#maxThreads} at a time)`,
    );
  }

  readonly #maxThreads: number;
  readonly #piscina: Piscina;
  readonly #waiting = new Fifo<() => void>();
  /** All whose threads are not given back yet. */
  readonly #leases = new Set<PoolLease>();
  /** Those that have no call, the one that was used last at the end. */
  readonly #idle: PoolLease[] = [];
  readonly #leaseHost: LeaseHost;
  /** Calls that were told to start and haven't yet. */
  #starting = 0;
  #stopped: Promise<void> | null = null;

  /**
   * Starts no thread yet, unless `minThreads` says so.
   *
   * @throws TypeError or RangeError for options that make no sense
   */
  constructor(options: HandlerPoolOptions = {}) {
    checkOptions('new HandlerPool', options, ['maxThreads', 'minThreads', 'idleTimeout', 'resourceLimits', 'execArgv']);
    const { resourceLimits } = options;
    const minThreads = checkCount('minThreads', options.minThreads ?? 0);
    const idleTimeout = checkWait(
      'idleTimeout (seconds)',
      options.idleTimeout === undefined ? defaultIdle : options.idleTimeout,
    );
    const execArgv = checkArgs(options.execArgv);
    this.#maxThreads = Math.max(1, checkCount('maxThreads', options.maxThreads ?? availableParallelism()));
    this.#piscina = outsideContexts(
      () =>
        new Piscina({
          filename: poolEntry.href,
          minThreads,
          maxThreads: threadLimit,
          idleTimeout: (idleTimeout ?? Infinity) * 1000,
          concurrentTasksPerWorker: 1,
          // Otherwise an idle thread is frozen, and with it what a handler has left running.
          atomics: 'disabled',
          execArgv: [...execArgv],
          ...(resourceLimits !== undefined && { resourceLimits }),
        }),
    );
    // A thread has died that nobody was using: without a listener this would be an uncaught error of this thread.
    this.#piscina.on('error', logIdleCrash);
    this.#leaseHost = {
      runTask: this.#runTask,
      patience: Math.min(idleTimeout ?? defaultIdle, defaultIdle),
      idle: (lease) => this.#idle.push(lease),
      crashedIdle: logIdleCrash,
      ended: (lease) => {
        const at = this.#idle.indexOf(lease);
        if (at >= 0) this.#idle.splice(at, 1);
      },
      over: (lease) => this.#leases.delete(lease),
      changed: () => this.#startWaiting(),
    };
  }

  /**
   * A handler whose function is the default export of a module, called in a pool thread with a real event.
   *
   * There `event.event_bus.dispatch(child)` works and can be awaited. Say what it returns where the event has a result
   * type: `pool.handler<number>(url)`.
   *
   * @param module JavaScript file, as a URL
   * @throws TypeError for what is no URL of a file; a missing file fails the event, with what Node says of it
   * @example
   * ```ts
   * main.on(ResizeImage, pool.handler(new URL('./resize.js', import.meta.url)));
   * main.on(CountPrimes, pool.handler<number>(new URL('./count-primes.js', import.meta.url), { ordered: true }));
   * ```
   */
  handler<R = never>(module: URL | string, options: PoolHandlerOptions = {}): PoolHandler<R> {
    checkOptions('pool.handler', options, ['ordered']);
    checkFlag('ordered', options.ordered);
    const { ordered = false } = options;
    const entry = checkEntry(module, "a pool handler's module");
    const name = entry.pathname.split('/').pop() ?? 'pool handler';
    const call = async (event: BaseEvent): Promise<R> =>
      this.#call(new PoolCall(event, activeRun(), entry.href)) as Promise<R>;
    const kind: RemoteHandler = { name, holdsSlot: ordered, ownClock: true };
    return Object.assign(call, { [remoteHandler]: kind });
  }

  /**
   * Ends all threads; what is under way fails with BusStoppedError. Stopping twice does no harm.
   *
   * @example
   * ```ts
   * await main.stop({ timeout: 10 });   // the buses first: their events still need the threads
   * await pool.stop();
   * ```
   */
  async stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    await this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<void> {
    const error = stoppedError();
    for (const lease of this.#leases) lease.stop(error);
    for (let start = this.#waiting.shift(); start !== undefined; start = this.#waiting.shift()) {
      this.#starting += 1;
      start();
    }
    await this.#piscina.destroy();
  }

  /** Gives the call to a thread; once more if that one dies before it has taken it. */
  async #call(call: PoolCall): Promise<unknown> {
    for (;;) {
      if (this.#stopped !== null) throw stoppedError();
      if (!this.#hasRoom()) await this.#turn();
      if (this.#stopped !== null) throw stoppedError();
      if (call.run.runner.settled) {
        this.#startWaiting();
        return undefined;
      }
      const lease = this.#idle.pop() ?? this.#newLease();
      try {
        return await lease.run(call);
      } catch (error) {
        if (!lease.crashed || !call.loseThread()) throw error;
      }
    }
  }

  #newLease(): PoolLease {
    const lease = new PoolLease(this.#leaseHost);
    this.#leases.add(lease);
    return lease;
  }

  /** Waits for a place, which is kept until the wait is over. */
  async #turn(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#starting -= 1;
  }

  readonly #runTask: RunTask = async (task, transfer, signal) => {
    await outsideContexts(() => this.#piscina.run(task, { transferList: [...transfer], signal }));
  };

  /** Lets those that wait for a thread go on, as many as there is room for. */
  #startWaiting(): void {
    while (this.#waiting.size > 0 && this.#hasRoom()) {
      this.#starting += 1;
      this.#waiting.shift()?.();
    }
  }

  get #running(): number {
    return [...this.#leases].filter(({ taken }) => taken).length;
  }

  #hasRoom(): boolean {
    let busy = this.#starting;
    for (const lease of this.#leases) if (lease.busy) busy += 1;
    return busy < this.#maxThreads;
  }
}

function checkCount(name: string, value: unknown): number {
  return Math.min(checkSize(name, value) ?? threadLimit, threadLimit);
}

function logIdleCrash(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  defaultLogger().error(`A pool thread crashed after its handler had ended, by what that had left running: ${text}`);
}

function stoppedError(): BusStoppedError {
  return new BusStoppedError(
    'The HandlerPool was stopped. Make a new one, or stop the pool after the buses that use it.',
  );
}
