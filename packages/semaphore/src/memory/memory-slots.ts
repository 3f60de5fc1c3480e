import { threadId } from 'node:worker_threads';
import { SemaphoreTimeoutError } from '../basics/errors.ts';
import { HeldLease } from '../basics/held-lease.ts';
import { readWait } from '../basics/seconds.ts';
import type { AcquireOptions, Lease, SlotPool, SlotReport } from '../basics/slot-pool.ts';
import { WaitQueue } from '../basics/wait-queue.ts';

/** Slots in the memory of one thread. */
export class MemorySlots implements SlotPool {
  readonly name: string;
  readonly limit: number;
  readonly #queue = new WaitQueue<Lease>();
  // Invariant: a slot is held, or free and in here; nobody waits while one is free.
  readonly #free: number[];
  #neverUsed = 0;

  constructor(name: string, limit: number) {
    this.name = name;
    this.limit = limit;
    this.#free = [];
  }

  async acquire(options: AcquireOptions = {}): Promise<Lease> {
    const timeout = readWait('timeout', options.timeout);
    options.signal?.throwIfAborted();
    const slot = this.#take();
    if (slot !== undefined) return this.#lease(slot);
    if (timeout === 0) throw this.#timedOut(0);
    return this.#queue.enter(options, (limit) => this.#timedOut(limit));
  }

  inspect(): Promise<SlotReport> {
    const self = { pid: process.pid, threadId, state: 'alive' } as const;
    const free = new Set(this.#free);
    const holders = Array.from({ length: this.#neverUsed }, (_, slot) => ({ slot, ...self }));
    return Promise.resolve({
      name: this.name,
      scope: 'local',
      limit: this.limit,
      directory: null,
      holders: holders.filter(({ slot }) => !free.has(slot)),
      waiters: Array.from({ length: this.#queue.size }, () => self),
    });
  }

  #take(): number | undefined {
    const slot = this.#free.pop();
    if (slot !== undefined) return slot;
    return this.#neverUsed < this.limit ? this.#neverUsed++ : undefined;
  }

  #lease(slot: number): Lease {
    return new HeldLease(() => {
      const next = this.#queue.first;
      if (next === undefined) this.#free.push(slot);
      else next.grant(this.#lease(slot));
    });
  }

  #timedOut(timeout: number): SemaphoreTimeoutError {
    return new SemaphoreTimeoutError({ name: this.name, limit: this.limit, timeout, scope: 'local' });
  }
}
