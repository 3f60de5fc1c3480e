import { SemaphoreTimeoutError, type SemaphoreTimeoutDetails } from './errors.ts';
import { checkOptions, checkSignal } from './options.ts';
import { readWait } from './seconds.ts';
import type { WaitOptions } from './slot-pool.ts';
import { WaitQueue } from './wait-queue.ts';

/** Those who wait until a semaphore is idle: no lease of it is held, and no call waits. */
export class Drain {
  readonly #waiters = new WaitQueue<void>();
  readonly #isIdle: () => boolean;

  constructor(isIdle: () => boolean) {
    this.#isIdle = isIdle;
  }

  /** @param who for the error */
  async wait(options: WaitOptions, who: Omit<SemaphoreTimeoutDetails, 'timeout'>): Promise<void> {
    checkOptions('drain()', options, ['timeout', 'signal']);
    checkSignal('signal', options.signal);
    const timeout = readWait('timeout', options.timeout);
    const { signal } = options;
    signal?.throwIfAborted();
    if (this.#isIdle()) return;
    const timedOut = (limit: number): Error =>
      new SemaphoreTimeoutError({ ...who, timeout: limit, waitedFor: 'drain' });
    if (timeout === 0) throw timedOut(0);
    await this.#waiters.enter({ timeout, signal }, timedOut);
  }

  /** To be called after each lease and each wait that has ended. */
  check(): void {
    if (this.#waiters.size === 0 || !this.#isIdle()) return;
    for (const waiter of [...this.#waiters]) waiter.grant();
  }
}
