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
} from './errors.ts';
export { retryContext, type RetryContext } from './held-slots.ts';
export { inspect } from './inspect.ts';
export { MultiprocessSemaphore, type MultiprocessSemaphoreOptions } from './multiprocess-semaphore.ts';
export { retry, type Retry } from './retry.ts';
export type { RetryLogger, RetryOn, RetryOptions, SemaphoreScope } from './retry-options.ts';
export { Semaphore } from './semaphore.ts';
export type { AcquireOptions, Lease, SlotHolder, SlotPool, SlotReport, SlotWaiter } from './slot-pool.ts';
