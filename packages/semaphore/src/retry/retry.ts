import { runAttempts } from './attempt-loop.ts';
import { isSemaphoreTimeoutError, SemaphoreTimeoutError } from '../basics/errors.ts';
import { functionKey } from '../basics/function-key.ts';
import { HeldSlot, runInside, slotOfChain } from '../lockfile/held-slots.ts';
import {
  resolveRetryOptions,
  type ResolvedLimit,
  type ResolvedRetryOptions,
  type RetryOptions,
} from './retry-options.ts';
import { poolOf, type LimitedFunction } from './scope.ts';
import { shown } from '../basics/seconds.ts';

/** What `retry(options)` returns: wraps a function, or decorates a method. */
export interface Retry {
  /** Wraps a function. The result is async, also if the function is not; name, `this` and arguments stay. */
  <This, Args extends unknown[], Result>(
    fn: (this: This, ...args: Args) => Result,
  ): (this: This, ...args: Args) => Promise<Awaited<Result>>;
  /** Decorates an async method, `@retry({…})`. */
  <This, Args extends unknown[], Result>(
    method: (this: This, ...args: Args) => Promise<Result>,
    context: ClassMethodDecoratorContext<This, (this: This, ...args: Args) => Promise<Result>>,
  ): (this: This, ...args: Args) => Promise<Result>;
}

/**
 * Makes a function try again when it fails, and limits how many of its calls run at once. As in bubus.
 *
 * A call takes a slot first if there is a limit, then makes up to `retries + 1` attempts of at most `timeout` seconds
 * each, and throws the last attempt's own error if all fail. If the last argument has a `signal`, as a bus handler's
 * has, its abort ends the wait for a slot, attempts and waits; that is never retried.
 *
 * @returns a wrapper, which is a TC39 method decorator as well
 * @throws {TypeError} for options that make no sense, here; for what is no function, in the wrapper
 * @example
 * ```ts
 * const fetchPage = retry({ wait: 2, retries: 3, timeout: 5, backoffFactor: 1.5, semaphoreLimit: 5 })(
 *   async function fetchPage(url: string) {
 *     const response = await fetch(url, { signal: retryContext().signal });
 *     return response.text();
 *   },
 * );
 *
 * class Database {
 *   @retry({ semaphoreLimit: 10, semaphoreScope: 'class' })
 *   async query(sql: string) { … }
 * }
 * ```
 */
export function retry(options: RetryOptions = {}): Retry {
  const resolved = resolveRetryOptions(options);
  const wrap = (fn: AnyFunction, context?: ClassMethodDecoratorContext): AnyFunction => {
    if (typeof fn !== 'function' || (context !== undefined && context.kind !== 'method')) {
      throw new TypeError(
        `Expected retry() to wrap a function or to decorate a method, got ${context?.kind ?? shown(fn)}: ` +
          'write retry(options)(fn), or @retry(options) before a method.',
      );
    }
    const name = fn.name || String(context?.name ?? '');
    if (resolved.semaphore?.scope === 'multiprocess' && (resolved.semaphore.name ?? name) === '') {
      throw new TypeError(
        'Expected `semaphoreName` or a named function for semaphoreScope `multiprocess`, got a function without a name: ' +
          'processes share a semaphore by its name.',
      );
    }
    const limited = { name: name || 'anonymous', key: resolved.semaphore ? functionKey(fn, wrap) : '' };
    async function retried(this: unknown, ...args: unknown[]): Promise<unknown> {
      return callLimited(resolved, limited, fn, this, args);
    }
    Object.defineProperties(retried, {
      name: { value: fn.name, configurable: true },
      length: { value: fn.length, configurable: true },
    });
    return retried;
  };
  return wrap as Retry;
}

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;

async function callLimited(
  options: ResolvedRetryOptions,
  fn: LimitedFunction,
  run: AnyFunction,
  self: unknown,
  args: unknown[],
): Promise<unknown> {
  const signal = signalOf(args);
  const started = performance.now();
  const slot = options.semaphore && (await takeSlot(options, options.semaphore, fn, self, signal));
  const waited = options.semaphore === undefined ? 0 : (performance.now() - started) / 1000;
  try {
    return await runAttempts({
      name: fn.name,
      options,
      signal,
      waited,
      run: (attempt, ownSignal) =>
        runInside({ signal: ownSignal, attempt, lease: slot?.lease ?? null }, slot, () => run.apply(self, args)),
    });
  } finally {
    await slot?.leave();
  }
}

/** The slot to run in; `undefined` if a lax wait ended without one. */
async function takeSlot(
  { timeout, logger }: ResolvedRetryOptions,
  semaphore: ResolvedLimit,
  fn: LimitedFunction,
  self: unknown,
  signal: AbortSignal | undefined,
): Promise<HeldSlot | undefined> {
  const pool = poolOf(semaphore, fn, self);
  const held = slotOfChain(pool);
  if (held !== undefined) {
    held.join();
    return held;
  }
  try {
    return new HeldSlot(pool, await pool.acquire({ timeout: semaphore.timeout, signal }));
  } catch (error) {
    if (!isSemaphoreTimeoutError(error)) throw error;
    const { limit, timeout: waited, scope } = error;
    if (!semaphore.isLax) {
      throw new SemaphoreTimeoutError(
        { name: pool.name, limit, timeout: waited, scope, attemptTimeout: timeout },
        error,
      );
    }
    logger.warn(
      `Failed to acquire semaphore "${pool.name}" after ${waited.toFixed(1)}s, proceeding without concurrency limit`,
    );
    return undefined;
  }
}

/** A bus handler gets its signal in the last argument, and so may any function. */
function signalOf(args: readonly unknown[]): AbortSignal | undefined {
  const last = args.at(-1);
  if (typeof last !== 'object' || last === null || !('signal' in last)) return undefined;
  return last.signal instanceof AbortSignal ? last.signal : undefined;
}
