import { readWait, shown } from '../basics/seconds.ts';

/** Which errors are worth another attempt: their class, their name, or a function that says so. */
export type RetryOn = (abstract new (...args: never[]) => Error) | string | ((error: unknown) => boolean);

/** Which calls share the slots. */
export type SemaphoreScope = 'global' | 'class' | 'self' | 'multiprocess';

/** Where `retry` reports: `console`, unless told otherwise. */
export interface RetryLogger {
  /** Before the last attempt, and when a lax call runs without a slot. */
  warn(message: string): void;
  /** When all attempts have failed. */
  error(message: string): void;
}

/** How a function is retried and limited. All durations are seconds. */
export interface RetryOptions {
  /**
   * Seconds between the end of an attempt and the next one, before `backoffFactor`. Minimum: 0.
   *
   * @default 3
   */
  readonly wait?: number | undefined;
  /**
   * Further attempts after the first one. `0` calls the function once; a negative number does so too; `Infinity` never
   * gives up.
   *
   * @default 3
   */
  readonly retries?: number | undefined;
  /**
   * Longest time of one attempt in seconds, from its call on; over all attempts a call may take
   * `(retries + 1) × timeout` plus the waits. `null` or `Infinity` is no limit. JavaScript can't end a function from
   * outside: what ignores `retryContext().signal` goes on beside the next attempt. Must be above 0.
   *
   * @default 5
   */
  readonly timeout?: number | null | undefined;
  /**
   * The wait before retry k (from 0) is `wait × backoffFactor ** k`. Minimum: 0.
   *
   * @default 1
   */
  readonly backoffFactor?: number | undefined;
  /**
   * Which errors are retried; any other is thrown at once. An attempt that timed out is retried if the list has
   * `AttemptTimeoutError`, or `'TimeoutError'`. An empty list retries nothing. An aborted call is never retried.
   *
   * @default every error
   */
  readonly retryOn?: readonly RetryOn[] | undefined;
  /**
   * How many calls may run at once. A call takes its slot once, and keeps it over all attempts and the waits between
   * them. A call that needs a slot which its own async chain still holds runs inside that one. An integer, minimum: 1;
   * `null` or `Infinity` is no limit.
   *
   * @default null
   */
  readonly semaphoreLimit?: number | null | undefined;
  /**
   * Who shares the limit. `global`: the whole process with its worker threads; `multiprocess`: all processes of the
   * machine; `class`: the calls on all instances of `this.constructor`, for a static method of the class, in this thread;
   * `self`: the calls on one instance. The last two are `global` for a function that is called without `this`.
   *
   * @default 'global'
   */
  readonly semaphoreScope?: SemaphoreScope | undefined;
  /**
   * Functions with the same name share the slots, within the scope. Without one a function shares them only with
   * itself, also in other threads; for `multiprocess` the function's own name counts then.
   *
   * @default the function's name
   */
  readonly semaphoreName?: string | undefined;
  /**
   * Longest wait for a slot in seconds, from the call on. `0` looks once; `null` or `Infinity` waits without limit.
   * Minimum: 0.
   *
   * @default max(timeout, timeout × (semaphoreLimit - 1)); no limit if `timeout` has none
   */
  readonly semaphoreTimeout?: number | null | undefined;
  /**
   * After `semaphoreTimeout`: `true` warns and runs without a slot, over the limit; `false` throws
   * `SemaphoreTimeoutError`. It covers that wait and nothing else.
   *
   * @default true
   */
  readonly semaphoreLax?: boolean | undefined;
  /**
   * Where `multiprocess` keeps its lock files, see `MultiprocessSemaphoreOptions`.
   *
   * @default the environment's `THREADBUS_SEMAPHORE_DIR`, else `threadbus-<uid>` in the system's temporary directory
   */
  readonly semaphoreDirectory?: string | undefined;
  /**
   * Gets one warning before the last attempt, and one error when all have failed.
   *
   * @default console
   */
  readonly logger?: RetryLogger | undefined;
}

/** The limit part of the options, if there is a limit. */
export interface ResolvedLimit {
  readonly limit: number;
  readonly scope: SemaphoreScope;
  readonly name: string | undefined;
  readonly timeout: number | null;
  readonly isLax: boolean;
  readonly directory: string | undefined;
}

/** Every value is there, and checked. */
export interface ResolvedRetryOptions {
  readonly wait: number;
  readonly retries: number;
  readonly timeout: number | null;
  readonly backoffFactor: number;
  readonly retryOn: readonly RetryOn[] | undefined;
  readonly semaphore: ResolvedLimit | undefined;
  readonly logger: RetryLogger;
}

const SCOPES: readonly string[] = ['global', 'class', 'self', 'multiprocess'] satisfies SemaphoreScope[];

/**
 * Checks the options and fills in the defaults.
 *
 * @throws {TypeError} with every problem that there is
 */
export function resolveRetryOptions(options: RetryOptions = {}): ResolvedRetryOptions {
  const problems: string[] = [];
  const expect = (isFine: boolean, name: keyof RetryOptions, expected: string): void => {
    if (!isFine) problems.push(`Expected \`${name}\` to be ${expected}, got ${shown(options[name])}.`);
  };
  const { wait = 3, retries = 3, timeout = 5, backoffFactor = 1, retryOn, semaphoreLimit, semaphoreTimeout } = options;
  const {
    semaphoreScope = 'global',
    semaphoreName,
    semaphoreLax = true,
    semaphoreDirectory,
    logger = console,
  } = options;
  expect(isNumber(wait, 0) && wait !== Infinity, 'wait', 'a number of seconds >= 0');
  expect(Number.isInteger(retries) || retries === Infinity, 'retries', 'an integer, or Infinity');
  expect(timeout === null || (isNumber(timeout, 0) && timeout > 0), 'timeout', 'seconds > 0, or null for no limit');
  expect(isNumber(backoffFactor, 0) && backoffFactor !== Infinity, 'backoffFactor', 'a number >= 0');
  expect(retryOn === undefined || isRetryOn(retryOn), 'retryOn', 'a list of error classes, error names and functions');
  expect(isLimit(semaphoreLimit), 'semaphoreLimit', 'an integer >= 1, or null for no limit');
  expect(SCOPES.includes(semaphoreScope), 'semaphoreScope', `one of ${SCOPES.join(', ')}`);
  expect(semaphoreName === undefined || isText(semaphoreName), 'semaphoreName', 'a text that is not empty');
  expect(
    semaphoreTimeout === undefined || semaphoreTimeout === null || isNumber(semaphoreTimeout, 0),
    'semaphoreTimeout',
    'a number of seconds >= 0, or null for no limit',
  );
  expect(typeof semaphoreLax === 'boolean', 'semaphoreLax', 'true or false');
  expect(semaphoreDirectory === undefined || isText(semaphoreDirectory), 'semaphoreDirectory', 'a path');
  if (problems.length > 0) throw new TypeError(problems.join('\n'));

  const perAttempt = timeout === Infinity ? null : timeout;
  const limit = semaphoreLimit === Infinity ? null : (semaphoreLimit ?? null);
  return {
    wait,
    retries: Math.max(0, retries),
    timeout: perAttempt,
    backoffFactor,
    retryOn,
    logger,
    semaphore:
      limit === null
        ? undefined
        : {
            limit,
            scope: semaphoreScope,
            name: semaphoreName,
            timeout:
              semaphoreTimeout === undefined
                ? defaultWait(perAttempt, limit)
                : readWait('semaphoreTimeout', semaphoreTimeout),
            isLax: semaphoreLax,
            directory: semaphoreDirectory,
          },
  };
}

/** Long enough for everyone before to use up an attempt, if the calls come one after the other. As in bubus. */
function defaultWait(timeout: number | null, limit: number): number | null {
  return timeout === null ? null : Math.max(timeout, timeout * (limit - 1));
}

const isNumber = (value: unknown, minimum: number): value is number => typeof value === 'number' && value >= minimum;
const isText = (value: unknown): boolean => typeof value === 'string' && value !== '';
const isLimit = (value: unknown): boolean =>
  value === undefined || value === null || value === Infinity || (Number.isSafeInteger(value) && isNumber(value, 1));
const isRetryOn = (value: unknown): boolean =>
  Array.isArray(value) && value.every((entry) => typeof entry === 'function' || isText(entry));
