import { Sleepers } from '../basics/sleepers.ts';
import type { Lease } from '../basics/slot-pool.ts';
import { selfIdentity } from '../basics/thread-identity.ts';
import type { WaitQueue, Waiter } from '../basics/wait-queue.ts';
import type { SharedMemory } from './shared-memory.ts';
import { isEarlier, type SharedSemaphore, type SharedWaiter } from './shared-semaphore.ts';

/** A call of this thread as the others see it. */
export interface Standing {
  readonly ticket: number;
  /** Its entry among the waiters; 0 = none. */
  place: number;
  /** What it has got so far of what it wants. */
  readonly slots: number[];
}

/**
 * The line for one semaphore over all threads of the process.
 *
 * Whoever came first takes what is free, and keeps it reserved until it has all that it wants; the others look at it
 * only. So one that wants many is not starved by those that want few, two never hold a part each for ever, and nobody is
 * overtaken.
 */
export class SharedLine {
  readonly #queue: WaitQueue<Lease>;
  readonly #standing = new Map<Waiter<Lease>, Standing>();
  readonly #sleepers = new Sleepers();
  readonly #own = selfIdentity().threadId;

  constructor(queue: WaitQueue<Lease>) {
    this.#queue = queue;
  }

  ticketOf(waiter: Waiter<Lease>): number {
    return this.#standing.get(waiter)?.ticket ?? 0;
  }

  /** A call gets its ticket, and stands where others see it if there is a place. */
  enter(semaphore: SharedSemaphore, waiter: Waiter<Lease>): Standing {
    let standing = this.#standing.get(waiter);
    if (standing === undefined) {
      const ticket = semaphore.drawTicket();
      standing = { ticket, place: semaphore.stand(ticket, waiter.permits, waiter.since, false), slots: [] };
      this.#standing.set(waiter, standing);
    }
    return standing;
  }

  /** The first call in line stands where others see it; calls that came before the state was there do so now. */
  standFirst(semaphore: SharedSemaphore, first: Waiter<Lease>): Standing {
    let standing = this.#standing.get(first);
    if (standing === undefined) {
      for (const waiter of this.#queue) this.enter(semaphore, waiter);
      standing = this.enter(semaphore, first);
    }
    if (standing.place === 0) standing.place = semaphore.stand(standing.ticket, first.permits, first.since, true);
    return standing;
  }

  /** Whether all who came before are dead, asleep or of this thread. */
  isTurnOf(semaphore: SharedSemaphore, memory: SharedMemory, { ticket }: Standing): boolean {
    const next = (): SharedWaiter | undefined =>
      this.#ahead(semaphore, ticket).find((other) => !this.#isAsleep(memory, other));
    for (let ahead = next(); ahead !== undefined; ahead = next()) {
      if (semaphore.availableTo(ahead.threadId) < ahead.permits) {
        this.#sleepers.onTime();
        return false;
      }
      const turns = memory.turnsOf(ahead.threadId);
      if (!this.#sleepers.isLate(`${ahead.threadId} ${ahead.ticket}`, String(ahead.threadId), turns)) return false;
    }
    return true;
  }

  /** How many calls of other threads come before this thread's first one. */
  rank(semaphore: SharedSemaphore): number {
    const { first } = this.#queue;
    const standing = first && this.#standing.get(first);
    return standing === undefined ? 0 : this.#ahead(semaphore, standing.ticket).length;
  }

  /** Wakes the thread whose turn it is. */
  wakeNext(semaphore: SharedSemaphore, memory: SharedMemory): void {
    if (!semaphore.hasOtherWaiters) return;
    for (const waiter of semaphore.waiters()) {
      if (waiter.threadId === this.#own) return;
      memory.wakeThread(waiter.threadId);
      // Whoever sleeps is to hear of it, but nobody waits for that.
      if (!this.#isAsleep(memory, waiter)) return;
    }
  }

  /** Another one came before after all. */
  giveBack(semaphore: SharedSemaphore, { slots }: Standing): void {
    for (const slot of slots.splice(0)) semaphore.free(slot);
  }

  /** A call has what it wants: its slots are not the line's any more. */
  served(semaphore: SharedSemaphore, waiter: Waiter<Lease>): void {
    semaphore.leave(this.#standing.get(waiter)?.place ?? 0);
    this.#standing.delete(waiter);
  }

  /** A call does not wait any more. */
  left(semaphore: SharedSemaphore, waiter: Waiter<Lease>): void {
    const standing = this.#standing.get(waiter);
    if (standing !== undefined) this.giveBack(semaphore, standing);
    this.served(semaphore, waiter);
  }

  /** Takes back every claim of those in line. */
  withdraw(semaphore: SharedSemaphore): void {
    for (const waiter of this.#standing.keys()) this.left(semaphore, waiter);
  }

  /** Nobody waits here any more. */
  rest(): void {
    this.#sleepers.forget();
  }

  #ahead(semaphore: SharedSemaphore, ticket: number): SharedWaiter[] {
    // Mostly there is none, and nothing to be made for it.
    if (!semaphore.hasOtherWaiters) return [];
    return semaphore.waiters().filter((other) => other.threadId !== this.#own && isEarlier(other.ticket, ticket));
  }

  #isAsleep(memory: SharedMemory, { threadId }: SharedWaiter): boolean {
    return this.#sleepers.isAsleep(String(threadId), () => memory.turnsOf(threadId));
  }
}
