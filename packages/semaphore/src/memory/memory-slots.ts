import { threadId } from 'node:worker_threads';
import { Drain } from '../basics/drain.ts';
import { SemaphoreLimitError, SemaphoreTimeoutError } from '../basics/errors.ts';
import { HeldLease } from '../basics/held-lease.ts';
import { readLimit } from '../basics/seconds.ts';
import {
  readAcquire,
  readTryAcquire,
  type AcquireOptions,
  type Lease,
  type SlotPool,
  type SlotReport,
  type TryAcquireOptions,
  type WaitOptions,
} from '../basics/slot-pool.ts';
import { WaitQueue } from '../basics/wait-queue.ts';

/** Slots in the memory of one thread. */
export class MemorySlots implements SlotPool {
  readonly name: string;
  #limit: number;
  // Invariant: whoever is first in the queue wants more than is free.
  readonly #queue = new WaitQueue<Lease>(() => this.#serve());
  readonly #drain = new Drain(() => this.isIdle);
  /** Since when each slot is held, in ms since 1970; 0 = it is not. */
  readonly #since: number[] = [];
  #held = 0;
  // A slot is held, or in here, or was never used.
  readonly #free: number[] = [];
  #neverUsed = 0;

  constructor(name: string, limit: number) {
    this.name = name;
    this.#limit = limit;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Nobody holds or waits. */
  get isIdle(): boolean {
    return this.#held === 0 && this.#queue.size === 0;
  }

  async acquire(options?: AcquireOptions): Promise<Lease> {
    const { timeout, signal, permits } = readAcquire(options, this.#limit);
    signal?.throwIfAborted();
    if (this.#queue.size === 0 && this.#fits(permits)) return this.#lease(permits);
    if (timeout === 0) throw this.#timedOut(0);
    return this.#queue.enter({ timeout, signal, permits }, (limit) => this.#timedOut(limit));
  }

  async tryAcquire(options?: TryAcquireOptions): Promise<Lease | null> {
    const permits = readTryAcquire(options, this.#limit);
    return this.#queue.size === 0 && this.#fits(permits) ? this.#lease(permits) : null;
  }

  drain(options: WaitOptions = {}): Promise<void> {
    return this.#drain.wait(options, { name: this.name, limit: this.#limit, scope: 'local' });
  }

  setLimit(limit: number): void {
    this.#limit = readLimit('limit', limit);
    for (const waiter of [...this.#queue]) {
      if (waiter.permits > limit) waiter.fail(this.#tooMany(waiter.permits));
    }
    this.#serve();
  }

  inspect(): Promise<SlotReport> {
    const self = { pid: process.pid, threadId, state: 'alive' } as const;
    const iso = (ms: number): string => new Date(ms).toISOString();
    const holders = this.#since.map((since, slot) => ({ slot, ...self, since: iso(since) }));
    return Promise.resolve({
      name: this.name,
      scope: 'local',
      limit: this.#limit,
      directory: null,
      holders: holders.filter(({ slot }) => this.#since[slot] !== 0),
      waiters: Array.from(this.#queue, ({ permits, since }) => ({ ...self, since: iso(since), permits })),
    });
  }

  #fits(permits: number): boolean {
    return this.#held + permits <= this.#limit;
  }

  #lease(permits: number): Lease {
    const since = Date.now();
    if (permits === 1) return new HeldLease(this.#giveBack, this.#take(since));
    const slots = Array.from({ length: permits }, () => this.#take(since));
    return new HeldLease(this.#giveBackAll, slots);
  }

  readonly #giveBack = (slot: number): void => {
    this.#release(slot);
    this.#serve();
  };

  readonly #giveBackAll = (slots: readonly number[]): void => {
    for (const slot of slots) this.#release(slot);
    this.#serve();
  };

  #take(since: number): number {
    const slot = this.#free.pop() ?? this.#neverUsed++;
    this.#since[slot] = since;
    this.#held++;
    return slot;
  }

  #release(slot: number): void {
    this.#since[slot] = 0;
    this.#held--;
    this.#free.push(slot);
  }

  #serve(): void {
    while (this.#queue.size > 0) {
      const { first } = this.#queue;
      if (first === undefined) break;
      if (!this.#fits(first.permits)) break;
      first.grant(this.#lease(first.permits));
    }
    this.#drain.check();
  }

  #timedOut(timeout: number): SemaphoreTimeoutError {
    return new SemaphoreTimeoutError({ name: this.name, limit: this.#limit, timeout, scope: 'local' });
  }

  #tooMany(permits: number): SemaphoreLimitError {
    return new SemaphoreLimitError(
      this.name,
      permits,
      this.#limit,
      `Expected at most as many permits as the semaphore "${this.name}" has slots, got ${permits} where setLimit() has ` +
        `left ${this.#limit}: this call would wait for ever. Ask for fewer, or raise the limit.`,
    );
  }
}
