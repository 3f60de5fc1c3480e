import { AttemptTimeoutError } from '../basics/errors.ts';
import type { ResolvedRetryOptions, RetryOn } from './retry-options.ts';
import { delay, startTimer } from '../basics/seconds.ts';

/** One call of a wrapped function, with all its attempts. */
export interface Attempts<Result> {
  /** The wrapped function's name. */
  readonly name: string;
  readonly options: ResolvedRetryOptions;
  /** Ends attempts and waits, and is never retried. */
  readonly signal: AbortSignal | undefined;
  /** For the log: how long the call waited for its slot, in seconds. */
  readonly waited: number;
  run(attempt: number, signal: AbortSignal): Result;
}

/** Runs attempts until one succeeds, an error is not to be retried, or none is left; then throws the last error. */
export async function runAttempts<Result>(attempts: Attempts<Result>): Promise<Awaited<Result>> {
  const { options, signal } = attempts;
  const started = performance.now();
  const total = options.retries + 1;
  for (let attempt = 1; ; attempt++) {
    try {
      return await runAttempt(attempts, attempt);
    } catch (error) {
      if (signal?.aborted === true || isAbort(error) || !isRetried(error, options.retryOn)) throw error;
      if (attempt === total) {
        logExhausted(attempts, total, started, error);
        throw error;
      }
      const wait = backoff(options, attempt - 1);
      if (attempt === total - 1) logLastWait(attempts, attempt, total, wait, error);
      await delay(wait, signal);
    }
  }
}

/** The delay in seconds before retry k, from 0. */
export function backoff({ wait, backoffFactor }: { wait: number; backoffFactor: number }, k: number): number {
  // Kept a number: 0 × Infinity is none, and no timer holds more.
  return Math.min(wait === 0 ? 0 : wait * backoffFactor ** k, Number.MAX_SAFE_INTEGER);
}

function runAttempt<Result>(attempts: Attempts<Result>, attempt: number): Promise<Awaited<Result>> {
  const { name, options, signal } = attempts;
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const controller = new AbortController();
    const { timeout } = options;
    const timer =
      timeout === null ? undefined : startTimer(timeout, () => end(new AttemptTimeoutError(name, attempt, timeout)));
    // The timer keeps the caller's async context, so nothing that the function may keep must lead to it.
    const settled = (): void => {
      timer?.stop();
      signal?.removeEventListener('abort', onAbort);
    };
    const end = (error: Error): void => {
      settled();
      // Before the function's own listeners run: what they throw about it comes too late.
      reject(error);
      controller.abort(error);
    };
    const onAbort = (): void => end(signal?.reason as Error);
    signal?.addEventListener('abort', onAbort, { once: true });
    // A late result or error of an attempt that timed out falls to a promise that is settled, and is dropped.
    void call(attempts, attempt, controller.signal).then(resolve, reject).finally(settled);
  });
}

async function call<Result>(
  attempts: Attempts<Result>,
  attempt: number,
  signal: AbortSignal,
): Promise<Awaited<Result>> {
  return await attempts.run(attempt, signal);
}

const isAbort = (error: unknown): boolean => error instanceof Error && error.name === 'AbortError';

function isRetried(error: unknown, retryOn: readonly RetryOn[] | undefined): boolean {
  return retryOn === undefined || retryOn.some((entry) => matches(error, entry));
}

function matches(error: unknown, entry: RetryOn): boolean {
  if (typeof entry === 'string') return namesOf(error).includes(entry);
  if (isErrorClass(entry)) return error instanceof entry;
  return entry(error);
}

/** A class of errors is called with `new`; any other function is asked. */
function isErrorClass(entry: Exclude<RetryOn, string>): entry is abstract new (...args: never[]) => Error {
  return (
    entry === Error || entry.prototype instanceof Error || /^class\b/.test(Function.prototype.toString.call(entry))
  );
}

/** Its own name, and those of the classes that it is of: `'Error'` stands for all errors. */
function namesOf(error: unknown): string[] {
  const names = error instanceof AttemptTimeoutError ? ['TimeoutError'] : [];
  if (error instanceof Error) names.push(error.name);
  for (let type: unknown = error; typeof type === 'object' && type !== null; type = Object.getPrototypeOf(type)) {
    if (typeof type.constructor === 'function') names.push(type.constructor.name);
  }
  return names;
}

const described = (error: unknown): string =>
  error instanceof Error ? `${error.name}: ${error.message}` : `${typeof error}: ${String(error)}`;

function logLastWait(
  { name, options }: Attempts<unknown>,
  attempt: number,
  total: number,
  wait: number,
  error: unknown,
): void {
  options.logger.warn(
    `${name} failed (attempt ${attempt}/${total}): ${described(error)}. Waiting ${wait.toFixed(1)}s before retry...`,
  );
}

function logExhausted(
  { name, options, waited }: Attempts<unknown>,
  total: number,
  started: number,
  error: unknown,
): void {
  const took = ((performance.now() - started) / 1000).toFixed(1);
  const slot = waited > 0 ? `Semaphore wait: ${waited.toFixed(1)}s. ` : '';
  options.logger.error(`${name} failed after ${total} attempts over ${took}s. ${slot}Final error: ${described(error)}`);
}
