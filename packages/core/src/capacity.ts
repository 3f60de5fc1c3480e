import { Fifo } from './fifo.ts';

interface CapacityWaiter {
  waiting: boolean;
  grant(): void;
  refuse(error: Error): void;
}

/**
 * Counts the events of a bus that are queued, have a handler in progress, or wait for another bus or thread, and lets
 * those who want to dispatch wait for a free place.
 *
 * Each free place is given to one waiter. Whoever gets one has until the end of the event loop's turn to dispatch;
 * then an unused place goes to the next.
 */
export class Capacity {
  readonly limit: number | null;
  #pending = 0;
  #granted = 0;
  readonly #waiters = new Fifo<CapacityWaiter>();

  constructor(limit: number | null) {
    this.limit = limit;
  }

  get pending(): number {
    return this.#pending;
  }

  get full(): boolean {
    return this.limit !== null && this.#pending >= this.limit;
  }

  /** A place that nobody waits for and nobody was given. */
  get free(): boolean {
    return this.limit === null || (this.#pending + this.#granted < this.limit && this.#waiters.size === 0);
  }

  enter(): void {
    this.#pending += 1;
    if (this.#granted > 0) this.#granted -= 1;
  }

  leave(): void {
    this.#pending -= 1;
    this.#grant();
  }

  /** Resolves when there is a place; `signal` ends the wait. */
  wait(signal: AbortSignal | undefined): Promise<void> {
    if (this.free) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        waiter.waiting = false;
        signal?.removeEventListener('abort', onAbort);
      };
      const onAbort = (): void => waiter.refuse(signal?.reason as Error);
      const waiter: CapacityWaiter = {
        waiting: true,
        grant: () => {
          leave();
          resolve();
        },
        refuse: (error) => {
          leave();
          reject(error);
        },
      };
      signal?.addEventListener('abort', onAbort);
      this.#waiters.push(waiter);
    });
  }

  /** Ends all waits. */
  refuseAll(error: Error): void {
    for (let waiter = this.#waiters.shift(); waiter !== undefined; waiter = this.#waiters.shift()) {
      if (waiter.waiting) waiter.refuse(error);
    }
  }

  #grant(): void {
    while (this.limit === null || this.#pending + this.#granted < this.limit) {
      const waiter = this.#waiters.shift();
      if (waiter === undefined) return;
      if (!waiter.waiting) continue;
      this.#granted += 1;
      waiter.grant();
      setImmediate(() => this.#expire());
    }
  }

  #expire(): void {
    if (this.#granted === 0) return;
    this.#granted -= 1;
    this.#grant();
  }
}
