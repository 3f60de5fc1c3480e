import { BusError } from '@threadbus/core';

/*
 * The errors of @threadbus/semaphore, by its names, codes and brand, so that its guards (`isSemaphoreTimeoutError` and
 * so on) know them: that package is not needed at run time.
 */

/** No slot came free in time. */
export class SemaphoreTimeoutError extends BusError {
  static {
    this.prototype.name = 'SemaphoreTimeoutError';
  }
  override readonly code = 'ERR_SEMAPHORE_TIMEOUT';
  readonly semaphore: string;
  readonly limit: number;
  readonly timeout: number;
  readonly scope = 'cluster';

  constructor(semaphore: string, limit: number, timeout: number) {
    super(
      `Failed to acquire cluster semaphore "${semaphore}" within ${timeout}s (limit=${limit}). All slots were held all that time: inspect() shows by whom; wait longer, or raise the limit.`,
    );
    this.semaphore = semaphore;
    this.limit = limit;
    this.timeout = timeout;
  }
}

/** The store can't be used. */
export class SemaphoreUnavailableError extends BusError {
  static {
    this.prototype.name = 'SemaphoreUnavailableError';
  }
  override readonly code = 'ERR_SEMAPHORE_UNAVAILABLE';
  readonly semaphore: string;
  readonly path: string | null = null;

  constructor(semaphore: string, problem: string, cause?: unknown) {
    super(`The semaphore "${semaphore}" is unavailable: ${problem}`, {}, cause === undefined ? undefined : { cause });
    this.semaphore = semaphore;
  }
}

/** The semaphore is in use with another limit or lease. */
export class SemaphoreLimitError extends BusError {
  static {
    this.prototype.name = 'SemaphoreLimitError';
  }
  override readonly code = 'ERR_SEMAPHORE_LIMIT';
  readonly semaphore: string;
  readonly limit: number;
  readonly existing: number;

  /** @param what `limit` or `lease`, of which there are two */
  constructor(semaphore: string, what: 'limit' | 'lease', wanted: number, existing: number) {
    super(
      `Expected the semaphore "${semaphore}" to have one ${what} everywhere, got ${wanted} where it is in use with ${existing}: use the same ${what}, or another name.`,
    );
    this.semaphore = semaphore;
    this.limit = wanted;
    this.existing = existing;
  }
}

/** A slot was lost while it was held. */
export class SemaphoreLostError extends BusError {
  static {
    this.prototype.name = 'SemaphoreLostError';
  }
  override readonly code = 'ERR_SEMAPHORE_LOST';
  readonly semaphore: string;
  /** The slot's key in the store. */
  readonly path: string;

  constructor(semaphore: string, path: string, why: string) {
    super(
      `A slot of the semaphore "${semaphore}" was lost while it was held: ${why}. Someone else may hold it now. Stop the work that needed it; let what it protects refuse smaller tokens.`,
    );
    this.semaphore = semaphore;
    this.path = path;
  }
}
