import { silenced } from './options.ts';

/** What a message is about. */
export interface LogFields {
  /** UUIDv7 */
  readonly event_id: string;
  /** By what handlers are matched. */
  readonly event_type: string;
  /** Its name. */
  readonly bus: string;
  /** Its name. */
  readonly handler: string;
  /** What the handler threw; absent if it has not failed. @default none */
  readonly err?: unknown;
}

/**
 * Where a bus writes what it has to say: `console` and a pino logger fit as they are.
 *
 * One with `child` and `bindings`, as pino's, is called with `(fields, message)`, any other with `(message, fields)`.
 */
export interface Logger {
  /** Every step of every event, with THREADBUS_LOG_LEVEL=debug; errors of handlers that somebody has got. */
  debug(message: string, fields?: LogFields): void;
  /** What is worth knowing and in order. */
  info(message: string, fields?: LogFields): void;
  /** What may be a mistake: a name that is taken, a handler that takes long, much memory. */
  warn(message: string, fields?: LogFields): void;
  /** What has failed: a handler whose error nobody has got, with its stack; a write of the log. */
  error(message: string, fields?: LogFields): void;
}

/** A logger that never throws, as the engine uses it. */
export interface SafeLogger extends Logger {
  /** It writes the error in the fields by itself: the message needs no stack. */
  readonly structured: boolean;
}

const levels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof levels)[number];

/** The level in THREADBUS_LOG_LEVEL: debug, info, warn, error or silent. @default 'warn' */
export function logLevel(): LogLevel {
  const wanted = process.env['THREADBUS_LOG_LEVEL']?.toLowerCase();
  return levels.find((level) => level === wanted) ?? 'warn';
}

const defaultLoggers = new Map<LogLevel, Logger>();
const safeLoggers = new WeakMap<Logger, SafeLogger>();

/** Writes to stderr from the level in THREADBUS_LOG_LEVEL up; what buses without a logger share. */
export function defaultLogger(lowest: LogLevel = logLevel()): Logger {
  let logger = defaultLoggers.get(lowest);
  if (logger === undefined) {
    logger = stderrLogger(levels.indexOf(lowest));
    defaultLoggers.set(lowest, logger);
  }
  return logger;
}

function stderrLogger(from: number): Logger {
  const at =
    (level: LogLevel) =>
    (message: string): void => {
      if (levels.indexOf(level) >= from) process.stderr.write(`[threadbus] ${level}: ${message}\n`);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** The same logger, but one that never throws: a broken logger must not break the bus. */
export function safeLogger(logger: Logger): SafeLogger {
  let safe = safeLoggers.get(logger);
  if (safe === undefined) {
    safe = catching(logger);
    safeLoggers.set(logger, safe);
  }
  return safe;
}

type Level = 'debug' | 'info' | 'warn' | 'error';
type Structured = Record<Level, (fields: LogFields, message: string) => void>;

function catching(logger: Logger): SafeLogger {
  const structured = isStructured(logger);
  const at =
    (level: Level) =>
    (message: string, fields?: LogFields): void => {
      try {
        // Also one that fails later; there is nowhere left to report it.
        if (fields === undefined) silenced(logger[level](message));
        else if (structured) silenced((logger as unknown as Structured)[level](fields, message));
        else silenced(logger[level](message, fields));
      } catch {
        // Nowhere left to report it.
      }
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), structured };
}

function isStructured(logger: Logger): boolean {
  const { child, bindings } = logger as { child?: unknown; bindings?: unknown };
  return typeof child === 'function' && typeof bindings === 'function';
}
