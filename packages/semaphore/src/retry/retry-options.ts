import type { SlotPool } from '../basics/slot-pool.ts';
import type { Rate } from '../rate/rate-limit.ts';

/**
 * Which errors are worth another attempt: their class; their name, or their `code` or that of one of their causes; or a
 * function that says so.
 */
export type RetryOn =
  | (abstract new (...args: never[]) => Error)
  | string
  | ((error: unknown) => boolean | PromiseLike<boolean>);

/** Which calls share the slots, or the starts. */
export type SemaphoreScope = 'global' | 'class' | 'self' | 'multiprocess';

/**
 * Where `retry` reports: `console`, unless told otherwise. A logger like pino's, with `child` and `bindings`, gets
 * `(fields, message)`, any other `(message, fields)`; the fields are `err`, `attempt` and `function`.
 */
export interface RetryLogger {
  /** Before the last attempt, and when a lax call runs without a slot. */
  warn(message: string): void;
  /** When all attempts have failed. */
  error(message: string): void;
}

/** An attempt that failed, as hooks are told of it. */
export interface FailedAttempt {
  /** What it ended with. */
  readonly error: unknown;
  /** Which one it was, from 1. */
  readonly attempt: number;
}

/** How a function is retried and limited. All durations are seconds. */
export interface RetryOptions {
  /**
   * Seconds between the end of an attempt and the next one; or a function that tells, after each attempt that failed, as
   * for a server's `Retry-After`. `backoffFactor`, `maxWait` and `jitter` apply to both. Minimum: 0; a function may give
   * `Infinity` if there is a `maxWait`.
   *
   * @default 3
   * @example ({ error }) => (error instanceof HttpError ? error.retryAfter : 1)
   */
  readonly wait?: number | ((failed: FailedAttempt) => number) | undefined;
  /**
   * Further attempts after the first one. `0` calls the function once; a negative number does so too; `Infinity` never
   * gives up.
   *
   * @default 3
   */
  readonly retries?: number | undefined;
  /**
   * Longest time of one attempt in seconds, from its call on. `null` or `Infinity` is no limit. JavaScript can't end a
   * function from outside: what ignores `retryContext().signal` goes on beside the next attempt. Must be above 0.
   *
   * @default 5
   */
  readonly timeout?: number | null | undefined;
  /**
   * Longest time of the whole call in seconds, from the call on: the wait for a slot, starts, attempts, and the waits
   * between them. Then the last error is thrown; an attempt that runs ends with an `AttemptTimeoutError`, whose `cause` is
   * the error before it; a call that got no slot or start in time with a `SemaphoreTimeoutError`, also a lax one. A wait
   * that can't end in time isn't begun. `null` or `Infinity` is no limit. Must be above 0.
   *
   * @default null
   */
  readonly totalTimeout?: number | null | undefined;
  /**
   * What the wait is multiplied with after each attempt. Minimum: 0.
   *
   * @default 1
   */
  readonly backoffFactor?: number | undefined;
  /**
   * Longest wait between two attempts in seconds; longer ones are cut. Minimum: 0. `null` or `Infinity` is no limit.
   *
   * @default null
   */
  readonly maxWait?: number | null | undefined;
  /**
   * Which part of a wait is left to chance, so that those who failed together don't come back together: from 0 to 1,
   * `true` is 1. Waits only get shorter by it, after `maxWait` has cut them.
   *
   * @default false
   */
  readonly jitter?: number | boolean | undefined;
  /**
   * Errors that are worth another attempt. An attempt that took too long fails with `AttemptTimeoutError`, or
   * `'TimeoutError'`. Functions may be async; what they throw ends the call. An empty list retries nothing.
   *
   * @default every error
   * @example ['ECONNRESET', 'TimeoutError', (error) => isHttpError(error) && error.status >= 500]
   */
  readonly retryOn?: readonly RetryOn[] | undefined;
  /**
   * Asked before another attempt, if `retryOn` agrees and one is left: whether there is to be one. May be async; what it
   * throws ends the call.
   *
   * @default always
   * @example async (error, { attempt }) => attempt < 2 || (await isServerUp())
   */
  readonly shouldRetry?:
    | ((error: unknown, context: { readonly attempt: number }) => boolean | PromiseLike<boolean>)
    | undefined;
  /**
   * Told before the wait for another attempt, and awaited; `wait` is how long that will be, in seconds. What it throws
   * ends the call.
   *
   * @default none
   * @example ({ attempt, wait }) => console.log(`attempt ${attempt} failed, next one in ${wait}s`)
   */
  readonly onRetry?: ((failed: FailedAttempt & { readonly wait: number }) => void | PromiseLike<void>) | undefined;
  /**
   * Ends every call of the function: waits for a slot or a start, attempts, and waits between them; the call rejects with
   * its reason, and is not retried. A `signal` in a call's last argument counts as well.
   *
   * @default none
   */
  readonly signal?: AbortSignal | undefined;
  /**
   * How many calls may run at once. A call takes its slot once, and keeps it over all attempts and the waits between
   * them. A call made inside the slot it needs runs in that one while its caller awaits it, one at a time; what is not
   * awaited takes a slot of its own, and so does the handler of an event. An integer, minimum: 1; `null` or `Infinity` is
   * no limit.
   *
   * @default null
   */
  readonly semaphoreLimit?: number | null | undefined;
  /**
   * Who shares the limit. `global`: the whole process with its worker threads; `multiprocess`: all processes of this user
   * on the machine, see `semaphorePool` for other users'; `class`: the calls on all instances of `this.constructor`, for
   * a static method of the class, in this thread; `self`: the calls on one instance. The last two are `global` for a
   * function that is called without `this`. `rateLimit` has the same scope.
   *
   * @default 'global'
   */
  readonly semaphoreScope?: SemaphoreScope | undefined;
  /**
   * Functions with the same name share the slots, and the starts, within the scope. Without one a function shares them
   * only with itself, also in other threads; for `multiprocess` the function's own name counts then. A function is called
   * once a call, with its `this` and arguments, before anything is taken: a limit for each customer.
   *
   * @default the function's name
   * @example (customer: Customer) => `customer ${customer.id}`
   */
  readonly semaphoreName?: string | ((...args: never[]) => string) | undefined;
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
   * Where `multiprocess` keeps its files, see `MultiprocessSemaphoreOptions`.
   *
   * @default the environment's `THREADBUS_SEMAPHORE_DIR`, else `threadbus-<uid>` in the system's temporary directory
   */
  readonly semaphoreDirectory?: string | undefined;
  /**
   * Slots of one's own, in place of `semaphoreScope`, `semaphoreName` and `semaphoreDirectory`: several users of a machine
   * share a limit by `new MultiprocessSemaphore({ …, shared: 'group' })`, several machines by one in a store.
   * `semaphoreLimit` may be left out; if it is given it must be the pool's.
   *
   * @default none
   */
  readonly semaphorePool?: SlotPool | undefined;
  /**
   * At most so many attempts start within every window of so many seconds, wherever it begins; over all calls that share
   * it by `semaphoreScope` and `semaphoreName`. The others wait, first come, first served; only `signal` and
   * `totalTimeout` end that wait. A call takes its slot first, and keeps it meanwhile; an attempt's `timeout` begins with
   * its start. A process that was killed and started again gets no burst. Not across users.
   *
   * @default none
   * @example { limit: 100, interval: 60 }
   */
  readonly rateLimit?: Rate | undefined;
  /**
   * Gets one warning before the last attempt, and one error when all have failed.
   *
   * @default console
   */
  readonly logger?: RetryLogger | undefined;
}
