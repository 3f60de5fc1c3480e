import { describe } from '../basics/describe.ts';
import type { LogMode } from '../log/event-log.ts';
import { logPath } from '../log/log-path.ts';
import { checkFlag, checkOptions } from '../basics/options.ts';
import { checkLimit, checkSize, type Limit } from '../basics/duration.ts';
import { defaultTimeout } from '../event/event-schema.ts';
import { defaultLogger, type Logger, logLevel, safeLogger, type SafeLogger } from '../basics/logger.ts';

/** Options of `new EventBus(…)`. */
export interface EventBusOptions {
  /**
   * Letters, digits and `_ $ . : -`, unique among the live buses of the thread: on a clash the bus gets a suffix and a
   * warning is logged, as in bubus.
   * @default 'EventBus_' and 8 hex digits
   */
  readonly name?: string | undefined;
  /**
   * File that every completed event is appended to, as one line of JSON that says what became of it. The line is handed
   * to the system before anybody is told of the completion: what was awaited is in the file, unless the machine goes
   * down. Only its owner may read it (0600).
   * @default none
   */
  readonly walPath?: string | URL | undefined;
  /**
   * 'ahead': the arrival of an event is logged too, before its first handler starts, so that
   * `readWal(path, { incomplete: true })` gives back what a crash has interrupted.
   * @default 'completed'
   */
  readonly walMode?: WalMode | undefined;
  /**
   * Bring lines to the disk itself before anybody is told: a loss of power takes nothing that was awaited. Costs a trip
   * to the disk, which all events that are under way share.
   * @default false
   */
  readonly walSync?: boolean | undefined;
  /** Run the handlers of one event side by side; events stay in order. @default false */
  readonly parallelHandlers?: boolean | undefined;
  /**
   * How many events may be in progress at once; null = any number. Above 1 they start in order of dispatch, and awaited
   * ones at once; the handlers of each still run one after the other. @default 1
   */
  readonly concurrency?: number | null | undefined;
  /** How many events the history holds; null = all, 0 = those in flight. @default 50 */
  readonly maxHistorySize?: number | null | undefined;
  /**
   * How many events may be queued, in progress, or waiting for another bus or thread, before `dispatch` refuses more;
   * null = no limit. @default 100, or null if `maxHistorySize` is null
   */
  readonly maxPending?: number | null | undefined;
  /** How deep a handler may be nested in itself through the events that it dispatches; null = no limit. @default 50 */
  readonly maxRecursionDepth?: number | null | undefined;
  /**
   * Limit in seconds for each handler of events of which neither the class nor the instance says anything; null = none.
   * @default 60
   */
  readonly eventTimeout?: number | null | undefined;
  /** `console`, a pino logger, or the like. @default stderr, from the level in THREADBUS_LOG_LEVEL ('warn') up */
  readonly logger?: Logger | undefined;
}

/** What a bus logs: the ends of events, or their arrivals as well. */
export type WalMode = 'completed' | 'ahead';

/** Options of `stop`. */
export interface StopOptions {
  /** Seconds to wait for events that are under way before they are ended; Infinity = until they are done. @default 0 */
  readonly timeout?: number | null | undefined;
  /** Also forget the history and all handlers. @default false */
  readonly clear?: boolean | undefined;
}

/** The same with every default filled in; the name is settled by the registry of names. */
export interface ResolvedBusOptions {
  readonly log: LogMode | null;
  readonly parallelHandlers: boolean;
  readonly concurrency: Limit;
  readonly maxHistorySize: Limit;
  readonly maxPending: Limit;
  readonly maxRecursionDepth: Limit;
  readonly eventTimeout: Limit;
  readonly logger: SafeLogger;
  /** Every step is to be logged. */
  readonly debug: boolean;
}

const optionNames = [
  'name',
  'walPath',
  'walMode',
  'walSync',
  'parallelHandlers',
  'concurrency',
  'maxHistorySize',
  'maxPending',
  'maxRecursionDepth',
  'eventTimeout',
  'logger',
];

/** Checks what the user gave and fills in the rest. */
export function resolveBusOptions(options: EventBusOptions): ResolvedBusOptions {
  if (typeof options !== 'object' || options === null) {
    throw new TypeError(
      `Expected the options of a bus to be an object, such as { name: 'Main' }; got ${describe(options)}.`,
    );
  }
  checkOptions('A bus', options, optionNames);
  const level = logLevel();
  const { parallelHandlers = false, maxRecursionDepth = 50, logger } = options;
  if (typeof parallelHandlers !== 'boolean') {
    throw new TypeError(`Expected parallelHandlers to be true or false; got ${describe(parallelHandlers)}.`);
  }
  const maxHistorySize = checkSize(
    'maxHistorySize',
    options.maxHistorySize === undefined ? 50 : options.maxHistorySize,
  );
  const maxPending = options.maxPending === undefined ? (maxHistorySize === null ? null : 100) : options.maxPending;
  return {
    log: resolveLog(options),
    parallelHandlers,
    concurrency: checkConcurrency(options.concurrency),
    maxHistorySize,
    maxPending: checkLimit('maxPending', maxPending),
    maxRecursionDepth: checkLimit('maxRecursionDepth', maxRecursionDepth),
    eventTimeout: checkLimit(
      'eventTimeout (seconds)',
      options.eventTimeout === undefined ? defaultTimeout : options.eventTimeout,
    ),
    debug: level === 'debug',
    logger: safeLogger(logger === undefined ? defaultLogger(level) : checkLogger(logger)),
  };
}

function resolveLog({ walPath, walMode, walSync }: EventBusOptions): LogMode | null {
  if (walMode !== undefined && walMode !== 'completed' && walMode !== 'ahead') {
    throw new TypeError(`Expected walMode to be 'completed' or 'ahead'; got ${describe(walMode)}.`);
  }
  checkFlag('walSync', walSync);
  if (walPath !== undefined) {
    return { path: logPath('walPath', walPath), ahead: walMode === 'ahead', sync: walSync === true };
  }
  const alone = walMode === undefined ? (walSync === undefined ? null : 'walSync') : 'walMode';
  if (alone === null) return null;
  throw new TypeError(`${alone} says how a bus logs, but this one has no log: give it a walPath as well.`);
}

function checkConcurrency(value: unknown): Limit {
  const limit = checkLimit('concurrency', value === undefined ? 1 : value);
  if (limit === null || Number.isInteger(limit)) return limit;
  throw new RangeError(`Expected concurrency to be a whole number from 1 up, or null for no limit; got ${limit}.`);
}

function checkLogger(logger: Logger): Logger {
  const missing = (['debug', 'info', 'warn', 'error'] as const).filter(
    (level) => typeof (logger as Partial<Logger> | null)?.[level] !== 'function',
  );
  if (missing.length === 0) return logger;
  throw new TypeError(
    `Expected logger to have the methods debug, info, warn and error, as console and pino have; missing: ${missing.join(', ')}.`,
  );
}
