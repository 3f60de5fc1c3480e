/**
 * Retries, rate limits, and concurrency limits shared by functions, classes, threads and processes. All durations are
 * seconds.
 *
 * @module @threadbus/semaphore
 */
export {
  AttemptTimeoutError,
  isAttemptTimeoutError,
  isRetryContextError,
  isSemaphoreLimitError,
  isSemaphoreLostError,
  isSemaphoreTimeoutError,
  isSemaphoreUnavailableError,
  RetryContextError,
  SemaphoreLimitError,
  SemaphoreLostError,
  SemaphoreTimeoutError,
  SemaphoreUnavailableError,
  type SemaphoreTimeoutDetails,
} from './basics/errors.ts';
export type { Sharing } from './basics/semaphore-directory.ts';
export type {
  AcquireOptions,
  Lease,
  SlotHolder,
  SlotPool,
  SlotReport,
  SlotWaiter,
  TryAcquireOptions,
  WaitOptions,
} from './basics/slot-pool.ts';
export { MultiprocessSemaphore, type MultiprocessSemaphoreOptions } from './lockfile/multiprocess-semaphore.ts';
export { Semaphore } from './memory/semaphore.ts';
export type { Rate } from './rate/rate-limit.ts';
export { retryContext, type RetryContext } from './retry/held-slots.ts';
export { inspect } from './retry/inspect.ts';
export { retry, type Retry } from './retry/retry.ts';
export { retryAttempts } from './retry/retry-attempts.ts';
export type { FailedAttempt, RetryLogger, RetryOn, RetryOptions, SemaphoreScope } from './retry/retry-options.ts';
