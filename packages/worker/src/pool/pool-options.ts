import { availableParallelism } from 'node:os';
import type { ResourceLimits, WorkerOptions } from 'node:worker_threads';
import { checkFlag, checkLimit, checkOptions, checkSize, checkWait, describe } from '@threadbus/core/internal';
import { checkEntry } from '../options.ts';
import { checkEnv, checkExecArgv, checkResourceLimits } from '../thread/node-options.ts';
import type { ThreadOptions } from './thread-host.ts';

/** Options of `new HandlerPool(…)`. */
export interface HandlerPoolOptions {
  /** Handlers that run at the same time, those that await an event not counted. @default the number of cores */
  readonly maxThreads?: number | undefined;
  /** Threads that are kept when there is nothing to do. @default 0 */
  readonly minThreads?: number | undefined;
  /** Calls that wait for a thread; those for which one is starting don't count. A call beyond it fails with BusCapacityError. @default none */
  readonly maxQueue?: number | null | undefined;
  /** Seconds after which a thread with nothing to do ends. @default 10 */
  readonly idleTimeout?: number | null | undefined;
  /** Seconds for a thread to start, and again for each module to load; the time of no event runs meanwhile. @default 10 */
  readonly startTimeout?: number | null | undefined;
  /** Modules that every thread loads as it starts, before its first call. @default none */
  readonly preload?: readonly (URL | string)[] | undefined;
  /** Memory limits of each thread; one that exceeds them counts as crashed. @default Node's */
  readonly resourceLimits?: ResourceLimits | undefined;
  /** Node options of the threads. @default those of the process, as far as a thread can have them */
  readonly execArgv?: readonly string[] | undefined;
  /** What the threads see as `process.env`. @default a copy of this thread's */
  readonly env?: WorkerOptions['env'];
  /**
   * Run the handlers in this thread, for tests and debuggers: events and results are still cloned, up to `maxThreads`
   * handlers are in progress at a time, but one that blocks can't be ended. @default false
   */
  readonly inline?: boolean | undefined;
}

/** More threads than this never run at once, whatever awaits what. */
const threadLimit = 4096;
/** Seconds. */
const defaultTime = 10;

const names = [
  'maxThreads',
  'minThreads',
  'maxQueue',
  'idleTimeout',
  'startTimeout',
  'preload',
  'resourceLimits',
  'execArgv',
  'env',
  'inline',
];

export interface ResolvedPoolOptions {
  readonly maxThreads: number;
  readonly minThreads: number;
  readonly maxQueue: number | null;
  readonly idleTimeout: number | null;
  readonly thread: ThreadOptions;
}

/** Checks what the user gave and fills in the rest. */
export function resolvePoolOptions(options: HandlerPoolOptions): ResolvedPoolOptions {
  checkOptions('new HandlerPool', options, names);
  checkFlag('inline', options.inline);
  const { inline = false } = options;
  const minThreads = checkCount('minThreads', options.minThreads ?? 0);
  const maxThreads = checkCount('maxThreads', options.maxThreads ?? Math.max(availableParallelism(), minThreads));
  if (maxThreads === 0) {
    throw new RangeError('Expected maxThreads to be a whole number from 1 up; got 0. Leave it out for one a core.');
  }
  if (minThreads > maxThreads) {
    throw new RangeError(`Expected minThreads to be at most maxThreads, which is ${maxThreads}; got ${minThreads}.`);
  }
  if (inline) checkInline(options);
  return {
    maxThreads,
    minThreads,
    maxQueue: checkSize('maxQueue', options.maxQueue ?? null),
    idleTimeout: checkWait(
      'idleTimeout (seconds)',
      options.idleTimeout === undefined ? defaultTime : options.idleTimeout,
    ),
    thread: {
      inline,
      env: checkEnv(options.env),
      execArgv: checkExecArgv(options.execArgv),
      resourceLimits: checkResourceLimits(options.resourceLimits, 'thread'),
      startTimeout: checkLimit(
        'startTimeout (seconds)',
        options.startTimeout === undefined ? defaultTime : options.startTimeout,
      ),
      preload: checkPreload(options.preload),
    },
  };
}

function checkCount(name: string, value: unknown): number {
  return Math.min(checkSize(name, value) ?? threadLimit, threadLimit);
}

function checkPreload(preload: unknown): readonly string[] {
  if (preload === undefined) return [];
  if (!Array.isArray(preload)) {
    throw new TypeError(
      `Expected preload to be an array of URLs, such as [new URL('./resize.js', import.meta.url)]; got ${describe(preload)}.`,
    );
  }
  return [...new Set(preload.map((entry) => checkEntry(entry, 'each of preload').href))];
}

function checkInline(options: HandlerPoolOptions): void {
  for (const name of ['resourceLimits', 'execArgv', 'env'] as const) {
    if (options[name] === undefined) continue;
    throw new TypeError(
      `Expected no ${name} with inline: true, where no thread is started; got ${describe(options[name])}.`,
    );
  }
}
