import { checkFlag, checkLimit, checkOptions, checkWait, describe } from '@threadbus/core/internal';
import { EventBus } from '@threadbus/core/internal/bus';
import { type ResourceLimits, SHARE_ENV, type WorkerOptions } from 'node:worker_threads';
import { checkFlow, type FlowLimits } from '@threadbus/link/internal';
import { checkArgv, checkEnv, checkExecArgv, checkResourceLimits, checkThreadName } from './thread/node-options.ts';

/** Options of `WorkerBus.start`. */
export interface WorkerBusOptions {
  /** The bus that `parentBus()` refers to in the thread. @default none */
  readonly parent?: EventBus | undefined;
  /**
   * Where the bus lives: a thread of this process, or a process of its own.
   *
   * A process costs more to start and for each event, but a native call that hangs, a segfault or a heap that grows
   * without end stay with it, and end with it. @default 'thread'
   */
  readonly isolation?: 'thread' | 'process' | undefined;
  /** What the thread sees as `workerData` of node:worker_threads. @default undefined */
  readonly workerData?: unknown;
  /** Memory limits of the thread in megabytes, as for `new Worker`. A thread that exceeds them counts as crashed. @default Node's */
  readonly resourceLimits?: ResourceLimits | undefined;
  /** Node options of the thread. @default those of the process; what threads can't have of them is left out */
  readonly execArgv?: readonly string[] | undefined;
  /** `process.env` of the thread, or `SHARE_ENV` of node:worker_threads. @default a copy of the process's */
  readonly env?: WorkerOptions['env'] | undefined;
  /** What the thread sees behind its file in `process.argv`. @default [] */
  readonly argv?: readonly string[] | undefined;
  /** Whether what the thread prints is to be read from `stdout` of the bus instead of going to this process's. @default false */
  readonly stdout?: boolean | undefined;
  /** The same for what it prints as errors. @default false */
  readonly stderr?: boolean | undefined;
  /** Name of the thread, for debuggers and profilers; the title of a process. @default that of the entry file */
  readonly name?: string | undefined;
  /** Seconds for the thread to call `exposeBus`. @default 10 */
  readonly startTimeout?: number | null | undefined;
  /**
   * Whether a thread that crashed or was ended is replaced, and how often before the bus is out of service.
   *
   * Only crashes count, and those of a thread that had completed an event set the count back. The first replacement
   * comes at once, the next after 0.1 s, doubling up to 30 s. @default 'on-crash', which is { limit: 5, within: 30 }
   */
  readonly restart?: 'on-crash' | 'never' | Partial<RestartLimit> | undefined;
  /** Events on the wire at a time. @default 256 */
  readonly maxInFlight?: number | undefined;
  /** Events that wait on this side before `dispatch` refuses more. @default 10_000 */
  readonly maxPending?: number | undefined;
  /** Seconds without any sign of life, with events under way, after which the thread is replaced; null = never. @default 60 */
  readonly unresponsiveTimeout?: number | null | undefined;
}

/** How many replacements a thread may have that crashes. */
export interface RestartLimit {
  /** So many replacements within that time; one more puts the bus out of service. @default 5 */
  readonly limit: number;
  /** Seconds for which a replacement counts. @default 30 */
  readonly within: number;
}

export interface ResolvedWorkerOptions extends FlowLimits {
  readonly parent: EventBus | null;
  readonly isolation: 'thread' | 'process';
  readonly workerData: unknown;
  readonly resourceLimits: ResourceLimits | undefined;
  readonly execArgv: string[] | undefined;
  readonly env: WorkerOptions['env'] | undefined;
  readonly argv: string[] | undefined;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly name: string | undefined;
  readonly startTimeout: number | null;
  /** Null = it isn't replaced. */
  readonly restart: RestartLimit | null;
  readonly unresponsiveTimeout: number | null;
}

export const workerOptionNames: readonly string[] = [
  'parent',
  'isolation',
  'workerData',
  'resourceLimits',
  'execArgv',
  'env',
  'argv',
  'stdout',
  'stderr',
  'name',
  'startTimeout',
  'restart',
  'maxInFlight',
  'maxPending',
  'unresponsiveTimeout',
];

/** Checks what the user gave and fills in the rest. */
export function resolveWorkerOptions(options: WorkerBusOptions): ResolvedWorkerOptions {
  checkOptions('WorkerBus.start', options, workerOptionNames);
  checkFlag('stdout', options.stdout);
  checkFlag('stderr', options.stderr);
  const { parent, isolation = 'thread' } = options;
  if (parent !== undefined && !(parent instanceof EventBus)) {
    throw new TypeError(`Expected parent to be an EventBus of this thread; got ${describe(parent)}.`);
  }
  if (isolation !== 'thread' && isolation !== 'process') {
    throw new TypeError(`Expected isolation to be 'thread' or 'process'; got ${describe(isolation)}.`);
  }
  if (isolation === 'process' && options.env === SHARE_ENV) {
    throw new TypeError(
      "Expected env of a process to be an object of texts; SHARE_ENV works with isolation: 'thread'.",
    );
  }
  return {
    parent: parent ?? null,
    isolation,
    workerData: options.workerData,
    resourceLimits: checkResourceLimits(options.resourceLimits, isolation),
    execArgv: checkExecArgv(options.execArgv),
    env: checkEnv(options.env),
    argv: checkArgv(options.argv),
    stdout: options.stdout ?? false,
    stderr: options.stderr ?? false,
    name: checkThreadName(options.name),
    startTimeout: options.startTimeout === undefined ? 10 : checkWait('startTimeout (seconds)', options.startTimeout),
    restart: checkRestart(options.restart),
    ...checkFlow(options),
    unresponsiveTimeout:
      options.unresponsiveTimeout === undefined
        ? 60
        : checkLimit('unresponsiveTimeout (seconds)', options.unresponsiveTimeout),
  };
}

function checkRestart(restart: unknown = 'on-crash'): RestartLimit | null {
  if (restart === 'never') return null;
  if (restart === 'on-crash') return { limit: 5, within: 30 };
  if (typeof restart !== 'object' || restart === null) {
    throw new TypeError(
      `Expected restart to be 'on-crash', 'never' or an object such as { limit: 5, within: 30 }; got ${describe(restart)}.`,
    );
  }
  checkOptions('restart', restart, ['limit', 'within']);
  const { limit = 5, within = 30 } = restart as Partial<RestartLimit>;
  const count = checkLimit('restart.limit', limit) ?? Infinity;
  if (count !== Infinity && !Number.isInteger(count)) {
    throw new RangeError(`Expected restart.limit to be a whole number of restarts; got ${count}.`);
  }
  return { limit: count, within: checkLimit('restart.within (seconds)', within) ?? Infinity };
}

/** The entry file as a URL. */
export function checkEntry(entry: unknown, what: string): URL {
  const url = typeof entry === 'string' ? urlOf(entry) : entry;
  if (url instanceof URL && (url.protocol === 'file:' || url.protocol === 'data:')) return url;
  throw new TypeError(
    `Expected ${what} to be a file: URL, such as new URL('./index-bus.js', import.meta.url); got ${url instanceof URL ? url.href : describe(entry)}.${entryHint(entry)}`,
  );
}

function entryHint(entry: unknown): string {
  if (typeof entry === 'function') return ' Functions are not sent to threads: make it the default export of a file.';
  return typeof entry === 'string' && entry.startsWith('/') ? ' For a path, use pathToFileURL(path) of node:url.' : '';
}

function urlOf(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
