/**
 * Retries, and concurrency limits shared by functions, classes, threads and processes. All durations are seconds.
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
export { retryContext, type RetryContext } from './lockfile/held-slots.ts';
export { inspect } from './retry/inspect.ts';
export { MultiprocessSemaphore, type MultiprocessSemaphoreOptions } from './lockfile/multiprocess-semaphore.ts';
export { retry, type Retry } from './retry/retry.ts';
export type { RetryLogger, RetryOn, RetryOptions, SemaphoreScope } from './retry/retry-options.ts';
export { Semaphore } from './memory/semaphore.ts';
export type { AcquireOptions, Lease, SlotHolder, SlotPool, SlotReport, SlotWaiter } from './basics/slot-pool.ts';
