import type { RetryLogger } from './retry-options.ts';

/** What a line is about, for loggers that take fields. */
interface Fields {
  readonly err?: unknown;
  readonly attempt: number;
  readonly function: string;
}

/** Writes a line: to loggers like pino's the fields come first, to all others the message. A broken logger breaks no call. */
export function log(logger: RetryLogger, level: 'warn' | 'error', message: string, fields: Fields): void {
  const write = logger[level] as (...args: readonly unknown[]) => unknown;
  try {
    const args = logger === console ? [message] : isLikePino(logger) ? [fields, message] : [message, fields];
    // Also one that fails later. There is nowhere to say so.
    Promise.resolve(write.apply(logger, args)).catch(() => undefined);
  } catch {
    // The same.
  }
}

function isLikePino(logger: object): boolean {
  const { child, bindings } = logger as { child?: unknown; bindings?: unknown };
  return typeof child === 'function' && typeof bindings === 'function';
}

/** An error in a line of text. */
export const described = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : `${typeof error}: ${String(error)}`;
