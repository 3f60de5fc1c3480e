import { Deadlines } from '../basics/deadlines.ts';
import { functionKey } from '../basics/function-key.ts';
import { shown } from '../basics/seconds.ts';
import { resolveRetryOptions, type ResolvedRetryOptions } from './resolve-options.ts';
import { RetriedCall, type RetriedFunction } from './retried-call.ts';
import type { RetryOptions } from './retry-options.ts';

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
  /** Decorates an async method where TypeScript's `experimentalDecorators` is on. */
  <Method extends (...args: never[]) => Promise<unknown>>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): TypedPropertyDescriptor<Method>;
}

/**
 * Makes a function try again when it fails, and limits how many of its calls run at once, and how many start in a while.
 * As in bubus.
 *
 * A call takes a slot first if there is a limit, then makes up to `retries + 1` attempts of at most `timeout` seconds
 * each, and throws the last attempt's own error if all fail; `retryAttempts(error)` tells how many there were. If the
 * last argument has a `signal`, as a bus handler's has, its abort ends the wait for a slot, attempts and waits; nothing
 * else ends a retry for good, an `AbortError` of the function's own does not.
 *
 * @returns a wrapper, which is a TC39 method decorator as well, and one for `experimentalDecorators`
 * @throws {TypeError} for options that make no sense or that there are not, here; for what is no function, in the wrapper
 * @example
 * ```ts
 * const fetchPage = retry({ wait: 2, maxWait: 30, backoffFactor: 1.5, jitter: true, semaphoreLimit: 5 })(
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
  // The stack is read from whoever calls this function on.
  const wrap = (...decorated: readonly unknown[]): unknown => {
    const [fn, context, descriptor] = decorated;
    if (typeof context === 'string' || typeof context === 'symbol') {
      const method = legacyMethod(context, descriptor);
      return { ...(descriptor as object), value: wrapped(resolved, method, String(context), wrap) };
    }
    const kind = (context as { kind?: unknown } | undefined)?.kind;
    if (typeof fn !== 'function' || (context !== undefined && kind !== 'method')) {
      throw new TypeError(
        `Expected retry() to wrap a function or to decorate a method, got ${typeof kind === 'string' ? kind : shown(fn)}: ` +
          'write retry(options)(fn), or @retry(options) before a method.',
      );
    }
    const { name = '' } = (context ?? {}) as { name?: string | symbol };
    return wrapped(resolved, fn as AnyFunction, String(name), wrap);
  };
  return wrap as Retry;
}

type AnyFunction = (this: unknown, ...args: readonly unknown[]) => unknown;

/** The method behind a descriptor. */
function legacyMethod(key: string | symbol, descriptor: unknown): AnyFunction {
  const parts: object = descriptor ?? {};
  if ('value' in parts && typeof parts.value === 'function') return parts.value as AnyFunction;
  const what = 'get' in parts || 'set' in parts ? 'an accessor' : 'a field';
  throw new TypeError(
    `Expected @retry() to decorate a method, got ${what}, ${shown(String(key))}: write @retry(options) before an async ` +
      'method, or retry(options)(fn) for the function in the field.',
  );
}

function wrapped(options: ResolvedRetryOptions, fn: AnyFunction, key: string, wrap: AnyFunction): AnyFunction {
  const name = fn.name || key;
  const isCounted = options.semaphore !== undefined || options.rate !== undefined;
  const hasPool = options.semaphore?.pool !== undefined;
  if (isCounted && !hasPool && options.scope === 'multiprocess' && (options.semaphoreName ?? name) === '') {
    throw new TypeError(
      'Expected `semaphoreName` or a named function for semaphoreScope `multiprocess`, got a function without a name: ' +
        'processes share a semaphore by its name.',
    );
  }
  const retriedFunction: RetriedFunction = {
    name: name || 'anonymous',
    key: isCounted ? functionKey(fn, wrap) : '',
    deadlines: options.timeout === null ? undefined : new Deadlines(options.timeout),
    run: fn,
  };
  function retried(this: unknown, ...args: readonly unknown[]): Promise<unknown> {
    return new RetriedCall(options, retriedFunction, this, args).start();
  }
  Object.defineProperties(retried, {
    name: { value: fn.name, configurable: true },
    length: { value: fn.length, configurable: true },
  });
  return retried;
}
