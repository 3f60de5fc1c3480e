import { silenced } from './options.ts';

/** Where a bus writes what it has to say: `console` and a pino logger fit as they are. */
export interface Logger {
  /** Every step of every event; only with THREADBUS_LOG_LEVEL=debug. */
  debug(message: string): void;
  /** What is worth knowing and in order. */
  info(message: string): void;
  /** What may be a mistake: a name that is taken, a handler that takes long, much memory. */
  warn(message: string): void;
  /** What has failed: a handler with its stack, a write of the log. */
  error(message: string): void;
}

const levels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof levels)[number];

/** The level in THREADBUS_LOG_LEVEL: debug, info, warn, error or silent. @default 'warn' */
export function logLevel(): LogLevel {
  const wanted = process.env['THREADBUS_LOG_LEVEL']?.toLowerCase();
  return levels.find((level) => level === wanted) ?? 'warn';
}

const defaultLoggers = new Map<LogLevel, Logger>();
const safeLoggers = new WeakMap<Logger, Logger>();

/** Writes to stderr from the level in THREADBUS_LOG_LEVEL up; what buses without a logger share. */
export function defaultLogger(): Logger {
  const lowest = logLevel();
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
export function safeLogger(logger: Logger): Logger {
  let safe = safeLoggers.get(logger);
  if (safe === undefined) {
    safe = catching(logger);
    safeLoggers.set(logger, safe);
  }
  return safe;
}

function catching(logger: Logger): Logger {
  const at =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string): void => {
      try {
        // Also one that fails later; there is nowhere left to report it.
        silenced(logger[level](message));
      } catch {
        // Nowhere left to report it.
      }
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
