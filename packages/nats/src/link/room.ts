import { type BaseEvent, BusCapacityError } from '@threadbus/core';
import { whenAborted } from '@threadbus/core/internal';

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** How many bytes may wait to reach the other end: refuses more, and lets others wait for less. */
export class Room {
  readonly #limit: number;
  readonly #name: string;
  readonly #pending: () => number;
  readonly #waiters = new Set<Waiter>();

  /** @param pending bytes at this moment */
  constructor(limit: number, name: string, pending: () => number) {
    this.#limit = limit;
    this.#name = name;
    this.#pending = pending;
  }

  /** @throws BusCapacityError if too many wait already */
  check({ event_type: eventType, event_id: eventId }: BaseEvent): void {
    const pending = this.#pending();
    if (pending < this.#limit) return;
    throw new BusCapacityError(
      `EventBus at capacity: ${pending} bytes wait to reach ${this.#name} (maxPendingBytes is ${this.#limit}), and ${eventType} is refused. Wait with 'await bus.waitForCapacity()' before you dispatch, or raise maxPendingBytes.`,
      { busName: this.#name, eventType, eventId },
      { pending, limit: this.#limit },
    );
  }

  /** @returns null if there is room now; rejects with the signal's reason, or why there never will be */
  wait(signal: AbortSignal | undefined): Promise<void> | null {
    if (this.#pending() < this.#limit) return null;
    return new Promise((resolve, reject) => {
      let stop: (() => void) | null = null;
      const ended = (settle: () => void): void => {
        this.#waiters.delete(waiter);
        stop?.();
        settle();
      };
      const waiter: Waiter = {
        resolve: () => ended(resolve),
        reject: (error) => ended(() => reject(error)),
      };
      this.#waiters.add(waiter);
      if (signal !== undefined) stop = whenAborted(signal, () => waiter.reject(signal.reason as Error));
    });
  }

  /** There may be less now. */
  look(): void {
    if (this.#waiters.size === 0 || this.#pending() >= this.#limit) return;
    for (const { resolve } of [...this.#waiters]) resolve();
  }

  /** There never will be room. */
  refuse(error: Error): void {
    for (const { reject } of [...this.#waiters]) reject(error);
  }
}
