import {
  activeRun,
  checkFlag,
  checkOptions,
  type RemoteHandler,
  remoteHandler,
  showAs,
} from '@threadbus/core/internal';
import { handlerPools } from './instances.ts';
import { checkEntry } from './options.ts';
import { moduleName } from './pool/load-handler.ts';
import type { PoolHandlerOf } from './pool/pool-handler.ts';
import { type HandlerPoolOptions, resolvePoolOptions } from './pool/pool-options.ts';
import { PoolSchedule } from './pool/pool-schedule.ts';
import type { PoolStats } from './pool/pool-stats.ts';
import type { WhereIs } from './thread/stuck-at.ts';

/** Options of `pool.handler(…)`. */
export interface PoolHandlerOptions {
  /** Hold the bus's serial slot, so that the next event waits for this handler. @default false */
  readonly ordered?: boolean | undefined;
}

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
    showAs(this.prototype, (pool) => {
      const { running, waiting } = pool.#schedule.stats;
      return `HandlerPool(${running} running, ${waiting} waiting, ${pool.#maxThreads} at a time)`;
    });
  }

  readonly #maxThreads: number;
  readonly #schedule: PoolSchedule;

  /**
   * Starts no thread yet, unless `minThreads` says so.
   *
   * @throws TypeError or RangeError for options that make no sense
   */
  constructor(options: HandlerPoolOptions = {}) {
    const resolved = resolvePoolOptions(options);
    this.#maxThreads = resolved.maxThreads;
    this.#schedule = new PoolSchedule(resolved);
    handlerPools.add(this);
  }

  /**
   * A handler whose function is the default export of a module, called in a pool thread with a real event.
   *
   * There `event.event_bus.dispatch(child)` works and can be awaited. Say which module it is, and the compiler checks
   * its event and its result where the handler is registered; or say only what it returns: `pool.handler<number>(url)`.
   *
   * @param module JavaScript file, as a URL
   * @throws TypeError for what is no URL of a file; a missing file fails the event, with what Node says of it
   * @example
   * ```ts
   * main.on(ResizeImage, pool.handler<typeof import('./resize.js')>(new URL('./resize.js', import.meta.url)));
   * main.on(CountPrimes, pool.handler<number>(new URL('./count-primes.js', import.meta.url), { ordered: true }));
   * ```
   */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it says what the module is
  handler<T = never>(module: URL | string, options: PoolHandlerOptions = {}): PoolHandlerOf<NoInfer<T>> {
    checkOptions('pool.handler', options, ['ordered']);
    checkFlag('ordered', options.ordered);
    const { ordered = false } = options;
    const entry = checkEntry(module, "a pool handler's module");
    const { href } = entry;
    // Not async, nor is `run`: each would add promises to every call.
    const call = (event?: unknown): unknown => {
      const run = activeRun(event);
      // Somebody else's handler may call it, too, and await what it returns.
      return this.#schedule.run(run, href, run.isDirect && run.entry.handler === call);
    };
    const kind: RemoteHandler = { name: moduleName(entry), holdsSlot: ordered, ownClock: true };
    return Object.assign(call, { [remoteHandler]: kind }) as PoolHandlerOf<unknown> as PoolHandlerOf<NoInfer<T>>;
  }

  /**
   * Waits until `minThreads` threads, at least one, are up and have loaded what is to be preloaded.
   *
   * @throws WorkerStartError if a thread can't be started, within `startTimeout`; BusStoppedError
   * @example
   * ```ts
   * const pool = new HandlerPool({ minThreads: 2, preload: [resize] });
   * await pool.ready();   // from here on no call waits for a thread to start
   * ```
   */
  async ready(): Promise<void> {
    await this.#schedule.ready();
  }

  /**
   * What the pool is doing and has done: counts of calls, and times in seconds.
   *
   * @returns the numbers of this moment, at the same cost however many calls there are
   * @example
   * ```ts
   * const { running, waiting, waitTime } = pool.stats();
   * console.log(`${running} at work, ${waiting} waiting, p99 ${waitTime?.p99 ?? 0} s`);
   * ```
   */
  stats(): PoolStats {
    return this.#schedule.stats;
  }

  /**
   * What the pool's busy threads are doing right now, without ending them: which handler for which event, and its stack.
   *
   * Each thread stands still for a moment. One whose handler awaits something is not busy; not listed is one that can't
   * be asked either: in a native call, beside a debugger, from another thread than the main one.
   *
   * @returns within 2 s, one for each busy thread
   * @throws nothing
   * @example
   * ```ts
   * for (const { handlerName, frames } of await pool.whereIs()) console.log(handlerName, frames[0]);
   * ```
   */
  async whereIs(): Promise<readonly WhereIs[]> {
    return this.#schedule.whereIs();
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
    await this.#schedule.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
