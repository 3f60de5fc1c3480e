/** Marks the errors of threadbus, in whichever copy of a package they were made. */
const brand = Symbol.for('threadbus.error');

/** What every error of this package has beside `name`, `message`, `stack` and `cause`. */
abstract class SemaphoreError extends Error {
  /** Stable and machine-readable, `ERR_…`; the message may change between versions, this does not. */
  abstract readonly code: string;

  static {
    Object.defineProperty(this.prototype, brand, { value: true });
  }

  protected constructor(message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
  }
}

/** Not by assignment, which fails where the intrinsics are frozen. */
function named(prototype: SemaphoreError, name: string): void {
  Object.defineProperty(prototype, 'name', { value: name, configurable: true, writable: true });
}

/** A symbol does not survive structured clone; the code does where the sender copies an error's own fields. */
function hasCode(error: unknown, code: string): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error) || error.code !== code) return false;
  return brand in error || error instanceof Error;
}

const seconds = (value: number | null): string => (value === null ? 'no limit' : `${value}s`);

/** What a {@link SemaphoreTimeoutError} knows. */
export interface SemaphoreTimeoutDetails {
  /** The semaphore's name, or the function's if it has none. */
  readonly name: string;
  /** How many leases there may be at once. */
  readonly limit: number;
  /** How long the call waited at most, in seconds. */
  readonly timeout: number;
  /** Who shares the limit: this thread, the process, or the machine. */
  readonly scope: 'local' | 'global' | 'multiprocess';
  /** `retry`'s limit for each attempt in seconds, `null` for none; absent for a semaphore on its own. */
  readonly attemptTimeout?: number | null | undefined;
  /**
   * What didn't come in time: a `slot`, a `start` under a rate limit, or, for `drain()`, the end of all leases and waits.
   *
   * @default 'slot'
   */
  readonly waitedFor?: 'slot' | 'start' | 'drain' | undefined;
}

function timeoutText({ name, limit, timeout, scope, attemptTimeout, waitedFor }: SemaphoreTimeoutDetails): string {
  const kind = scope === 'multiprocess' ? 'multiprocess semaphore' : 'semaphore';
  const each = attemptTimeout === undefined ? '' : `, timeout=${seconds(attemptTimeout)} per operation`;
  if (waitedFor === 'drain') {
    return `Failed to drain ${kind} "${name}" within ${timeout}s (limit=${limit}): inspect() shows who holds and waits.`;
  }
  if (waitedFor === 'start') {
    return `Failed to start "${name}" within ${timeout}s under its rate limit (limit=${limit}): wait longer, or raise the rate.`;
  }
  return (
    `Failed to acquire ${kind} "${name}" within ${timeout}s (limit=${limit}${each}). ` +
    'All slots were held all that time: inspect() shows by whom; wait longer, or raise the limit.'
  );
}

/**
 * No slot came free in time.
 *
 * Thrown by `acquire({ timeout })`, and by a function wrapped in `retry` with `semaphoreLax: false`; the function has
 * not been called then.
 *
 * @example
 * ```ts
 * try {
 *   await using lease = await gpu.acquire({ timeout: 30 });
 * } catch (error) {
 *   if (isSemaphoreTimeoutError(error)) console.log(`busy: ${error.limit} of ${error.semaphore} are held`);
 *   else throw error;
 * }
 * ```
 */
export class SemaphoreTimeoutError extends SemaphoreError {
  static {
    named(this.prototype, 'SemaphoreTimeoutError');
  }
  override readonly code = 'ERR_SEMAPHORE_TIMEOUT';
  /** The semaphore's name, or the function's if it has none. */
  readonly semaphore: string;
  /** How many leases there may be at once. */
  readonly limit: number;
  /** How long the call waited at most, in seconds. */
  readonly timeout: number;
  /** Who shares the limit: this thread, the process, or the machine. */
  readonly scope: SemaphoreTimeoutDetails['scope'];

  constructor(details: SemaphoreTimeoutDetails, cause?: unknown) {
    const { name, limit, timeout, scope } = details;
    super(timeoutText(details), cause);
    this.semaphore = name;
    this.limit = limit;
    this.timeout = timeout;
    this.scope = scope;
  }
}

/**
 * The place where the slots live can't be used: no permission, no space, or a thread out of reach of the shared state.
 *
 * Thrown at once, never after a wait, and never replaced by a count of its own, which would exceed the limit unseen.
 * `semaphoreLax` does not cover it.
 *
 * @example if (isSemaphoreUnavailableError(error)) console.log(error.path, error.cause);
 */
export class SemaphoreUnavailableError extends SemaphoreError {
  static {
    named(this.prototype, 'SemaphoreUnavailableError');
  }
  override readonly code = 'ERR_SEMAPHORE_UNAVAILABLE';
  /** The semaphore's name. */
  readonly semaphore: string;
  /** The file or folder that could not be used, if there is one. */
  readonly path: string | null;

  constructor(semaphore: string, problem: string, options: { path?: string; cause?: unknown } = {}) {
    super(`The semaphore "${semaphore}" is unavailable: ${problem}`, options.cause);
    this.semaphore = semaphore;
    this.path = options.path ?? null;
  }
}

/**
 * The same semaphore is in use with another limit; which of the two holds would depend on who came first. Also for
 * another rate under one name, and for a waiter that wants more permits than `setLimit` left.
 *
 * @example if (isSemaphoreLimitError(error)) console.log(`${error.semaphore} has ${error.existing} slots`);
 */
export class SemaphoreLimitError extends SemaphoreError {
  static {
    named(this.prototype, 'SemaphoreLimitError');
  }
  override readonly code = 'ERR_SEMAPHORE_LIMIT';
  /** The semaphore's name. */
  readonly semaphore: string;
  /** The limit asked for. */
  readonly limit: number;
  /** The limit that the semaphore has. */
  readonly existing: number;

  /** @param problem instead of the usual message, where something else than two limits is at odds */
  constructor(semaphore: string, limit: number, existing: number, problem?: string) {
    super(
      problem ??
        `Expected the semaphore "${semaphore}" to have one limit everywhere, got ${limit} where it is in use with ` +
          `${existing}: use the same limit, or another name.`,
    );
    this.semaphore = semaphore;
    this.limit = limit;
    this.existing = existing;
  }
}

/**
 * A slot was taken away from a live holder: its files were deleted. The reason of the lease's `signal`.
 *
 * @example lease.signal.addEventListener('abort', () => render.cancel(lease.signal.reason));
 */
export class SemaphoreLostError extends SemaphoreError {
  static {
    named(this.prototype, 'SemaphoreLostError');
  }
  override readonly code = 'ERR_SEMAPHORE_LOST';
  /** The semaphore's name. */
  readonly semaphore: string;
  /** The lock that is gone. */
  readonly path: string;

  constructor(semaphore: string, path: string, cause?: unknown) {
    super(
      `A slot of the semaphore "${semaphore}" was lost while it was held: ${path} is gone. Someone else may hold it ` +
        "now. Stop the work that needed it, and keep other programs out of the semaphores' directory.",
      cause,
    );
    this.semaphore = semaphore;
    this.path = path;
  }
}

/**
 * One attempt of a function wrapped in `retry` took longer than `timeout`; it counts as failed.
 *
 * @example if (isAttemptTimeoutError(error)) console.log(`attempt ${error.attempt} took over ${error.timeout} s`);
 */
export class AttemptTimeoutError extends SemaphoreError {
  static {
    named(this.prototype, 'AttemptTimeoutError');
  }
  override readonly code = 'ERR_ATTEMPT_TIMEOUT';
  /** The wrapped function's name. */
  readonly function: string;
  /** Which attempt it was, from 1. */
  readonly attempt: number;
  /** The limit that ended it, in seconds. */
  readonly timeout: number;

  /**
   * @param cause the error of the attempt before it, where the time of all attempts was up
   * @param option which limit it was
   */
  constructor(
    functionName: string,
    attempt: number,
    timeout: number,
    cause?: unknown,
    option: 'timeout' | 'totalTimeout' = 'timeout',
  ) {
    super(
      `Attempt ${attempt} of ${functionName} took longer than ${option}=${timeout}s. Its signal is aborted; work that ` +
        `ignores the signal goes on. Pass retryContext().signal on, or raise the ${option}.`,
      cause,
    );
    this.function = functionName;
    this.attempt = attempt;
    this.timeout = timeout;
  }
}

/**
 * `retryContext()` was called outside a function wrapped in `retry`.
 *
 * @example const fetchPage = retry()(() => retryContext().attempt);   // inside it is found
 */
export class RetryContextError extends SemaphoreError {
  static {
    named(this.prototype, 'RetryContextError');
  }
  override readonly code = 'ERR_RETRY_CONTEXT';

  constructor() {
    super(
      'Expected retryContext() to be called inside a function wrapped in retry(), got a call from outside one: ' +
        'wrap the function, or move the call into it.',
    );
  }
}

/** Whether this is a {@link SemaphoreTimeoutError}, also one from another thread or another copy of this package. */
export function isSemaphoreTimeoutError(error: unknown): error is SemaphoreTimeoutError {
  return hasCode(error, 'ERR_SEMAPHORE_TIMEOUT');
}

/** Whether this is a {@link SemaphoreUnavailableError}, also one from another thread or another copy of this package. */
export function isSemaphoreUnavailableError(error: unknown): error is SemaphoreUnavailableError {
  return hasCode(error, 'ERR_SEMAPHORE_UNAVAILABLE');
}

/** Whether this is a {@link SemaphoreLimitError}, also one from another thread or another copy of this package. */
export function isSemaphoreLimitError(error: unknown): error is SemaphoreLimitError {
  return hasCode(error, 'ERR_SEMAPHORE_LIMIT');
}

/** Whether this is a {@link SemaphoreLostError}, also one from another thread or another copy of this package. */
export function isSemaphoreLostError(error: unknown): error is SemaphoreLostError {
  return hasCode(error, 'ERR_SEMAPHORE_LOST');
}

/** Whether this is an {@link AttemptTimeoutError}, also one from another thread or another copy of this package. */
export function isAttemptTimeoutError(error: unknown): error is AttemptTimeoutError {
  return hasCode(error, 'ERR_ATTEMPT_TIMEOUT');
}

/** Whether this is a {@link RetryContextError}, also one from another thread or another copy of this package. */
export function isRetryContextError(error: unknown): error is RetryContextError {
  return hasCode(error, 'ERR_RETRY_CONTEXT');
}
