import { SemaphoreLimitError, SemaphoreTimeoutError, SemaphoreUnavailableError } from '../basics/errors.ts';
import { HeldLease } from '../basics/held-lease.ts';
import { nameHash } from '../basics/semaphore-directory.ts';
import {
  readAcquire,
  readTryAcquire,
  type AcquireOptions,
  type Lease,
  type SlotPool,
  type SlotReport,
  type TryAcquireOptions,
} from '../basics/slot-pool.ts';
import { selfIdentity } from '../basics/thread-identity.ts';
import { WaitQueue, type Waiter } from '../basics/wait-queue.ts';
import { findCell, fitsCells } from './shared-cells.ts';
import { SharedLine } from './shared-line.ts';
import { isEarlier, SharedSemaphore } from './shared-semaphore.ts';
import { currentState, joinState, type SharedState } from './shared-state.ts';
import { listenForWakes, type WakeListener } from './shared-wakes.ts';

/** Slots in memory that all threads of the process share. One object for a name a thread. */
export class SharedSlots implements SlotPool {
  readonly name: string;
  readonly limit: number;
  readonly #key: string;
  readonly #queue = new WaitQueue<Lease>((waiter) => this.#left(waiter));
  readonly #line = new SharedLine(this.#queue);
  #held = 0;
  #opening: Promise<void> | undefined;
  #state: SharedState | undefined;
  #semaphore: SharedSemaphore | undefined;
  #listener: WakeListener | undefined;

  /**
   * @param name for messages
   * @param key what it is shared by: the same in every thread
   */
  constructor(name: string, key: string, limit: number) {
    this.name = name;
    this.limit = limit;
    this.#key = key;
  }

  /** Nobody in this thread holds or waits. */
  get isIdle(): boolean {
    return this.#held === 0 && this.#queue.size === 0;
  }

  async acquire(options?: AcquireOptions): Promise<Lease> {
    const { timeout, signal, permits } = readAcquire(options, this.limit);
    signal?.throwIfAborted();
    if (!this.#open() && timeout === 0) await this.#join();
    const lease = this.#takeNow(permits);
    if (lease !== undefined) return lease;
    if (timeout === 0) throw this.#timedOut(0);
    // In line before anything is waited for: the first calls of all find the state not there yet.
    const granted = this.#queue.enter({ timeout, signal, permits }, (limit) => this.#timedOut(limit));
    if (this.#semaphore === undefined) {
      this.#join().catch((error: unknown) => this.#queue.failAll(error as Error));
      return granted;
    }
    const { newest } = this.#queue;
    if (newest !== undefined) this.#line.enter(this.#semaphore, newest);
    this.#look();
    return granted;
  }

  async tryAcquire(options?: TryAcquireOptions): Promise<Lease | null> {
    const permits = readTryAcquire(options, this.limit);
    if (!this.#open()) await this.#join();
    return this.#takeNow(permits) ?? null;
  }

  async inspect(): Promise<SlotReport> {
    if (!this.#open()) await this.#join();
    const [semaphore, memory] = [this.#semaphore, this.#state?.memory];
    const { threadId: own } = selfIdentity();
    const describe = (threadId: number, since: number) => {
      const state = threadId === own || memory?.isThreadDead(threadId) === false ? 'alive' : 'dead';
      return { pid: process.pid, threadId, state, since: new Date(since).toISOString() } as const;
    };
    const others = semaphore?.waiters().filter(({ threadId }) => threadId !== own) ?? [];
    const mine = Array.from(this.#queue, (waiter) => ({
      threadId: own,
      ticket: this.#line.ticketOf(waiter),
      permits: waiter.permits,
      since: waiter.since,
    }));
    const waiters = [...others, ...mine];
    waiters.sort((a, b) => (isEarlier(a.ticket, b.ticket) ? -1 : 1));
    return {
      name: this.name,
      scope: 'global',
      limit: this.limit,
      directory: null,
      holders: (semaphore?.holders() ?? []).map(({ slot, threadId, since }) => ({
        slot,
        ...describe(threadId, since),
      })),
      waiters: waiters.map(({ threadId, since, permits }) => ({ ...describe(threadId, since), permits })),
    };
  }

  /** Finds the semaphore, if the state is there or can be made at once. @returns whether it is open */
  #open(): boolean {
    if (this.#semaphore !== undefined) return true;
    if (this.#opening !== undefined) return false;
    this.#state ??= currentState(this.name);
    if (this.#state === undefined) return false;
    this.#semaphore = this.#find(this.#state);
    return true;
  }

  /** Waits for the state; then those in line are served. */
  #join(): Promise<void> {
    this.#opening ??= joinState(this.name)
      .finally(() => (this.#opening = undefined))
      .then((state) => {
        this.#state = state;
        this.#open();
        this.#look();
      });
    return this.#opening;
  }

  #find({ memory }: SharedState): SharedSemaphore {
    const cell = findCell(memory, nameHash(this.#key), this.limit, 'slots');
    if (cell === undefined) throw new SemaphoreUnavailableError(this.name, noRoom(this.limit));
    if (cell.limit !== this.limit) throw new SemaphoreLimitError(this.name, this.limit, cell.limit);
    return new SharedSemaphore(memory, cell);
  }

  /** The cell went to another name while nobody here used it: there is another one, perhaps with another limit. */
  #reopen(): SharedSemaphore | undefined {
    this.#semaphore = undefined;
    this.#open();
    return this.#semaphore;
  }

  /** For someone who has just come, if nobody waits. */
  #takeNow(permits: number): Lease | undefined {
    if (this.#queue.size > 0) return undefined;
    let semaphore = this.#semaphore;
    let isReaped = false;
    while (semaphore !== undefined) {
      const slots: number[] = [];
      if (!semaphore.hasWaiters) {
        for (let slot = semaphore.reserve(); slot !== undefined; slot = semaphore.reserve()) {
          slots.push(slot);
          if (slots.length === permits) break;
        }
      }
      if (!semaphore.isCurrent) {
        for (const slot of slots) semaphore.free(slot);
        semaphore = this.#reopen();
        continue;
      }
      if (slots.length === permits) return this.#lease(semaphore, slots);
      for (const slot of slots) semaphore.free(slot);
      // Nobody here looks for dead owners yet.
      if (isReaped) return undefined;
      semaphore.reap();
      isReaped = true;
    }
    return undefined;
  }

  /** Gives this thread's callers what is free, if it is their turn. */
  #look(): void {
    try {
      for (let first = this.#queue.first; first !== undefined; first = this.#queue.first) {
        if (!this.#serve(first)) break;
      }
    } catch (error) {
      this.#queue.failAll(error as Error);
    }
    if (this.#queue.size === 0) {
      this.#listener?.stop();
      this.#listener = undefined;
      this.#line.rest();
    } else {
      this.#listener ??= this.#listen();
    }
    // There may have been one wake for several slots, or for a caller that has left.
    this.#passOn();
  }

  /** @returns whether it is the next one's turn to be looked at */
  #serve(first: Waiter<Lease>): boolean {
    const [semaphore, memory] = [this.#semaphore, this.#state?.memory];
    if (semaphore === undefined || memory === undefined) return false;
    // Shown before the look: a slot freed before that is seen now, one freed later wakes this thread.
    const standing = this.#line.standFirst(semaphore, first);
    if (!semaphore.isCurrent) {
      this.#line.withdraw(semaphore);
      return this.#reopen() !== undefined;
    }
    if (!this.#line.isTurnOf(semaphore, memory, standing)) {
      this.#line.giveBack(semaphore, standing);
      return false;
    }
    while (standing.slots.length < first.permits) {
      const slot = semaphore.reserve();
      if (slot === undefined) return false;
      standing.slots.push(slot);
    }
    const lease = this.#lease(semaphore, standing.slots);
    this.#line.served(semaphore, first);
    first.grant(lease);
    return true;
  }

  #left(waiter: Waiter<Lease>): void {
    if (this.#semaphore === undefined) return;
    this.#line.left(this.#semaphore, waiter);
    this.#look();
  }

  #listen(): WakeListener | undefined {
    if (this.#state === undefined) return undefined;
    return listenForWakes(this.#state, {
      woken: () => this.#look(),
      tick: () => {
        this.#semaphore?.reap();
        this.#look();
      },
      rank: () => (this.#semaphore === undefined ? 0 : this.#line.rank(this.#semaphore)),
    });
  }

  #lease(semaphore: SharedSemaphore, slots: readonly number[]): Lease {
    const since = Date.now();
    for (const slot of slots) semaphore.hold(slot, since);
    this.#held++;
    const giveBack = (): void => {
      this.#held--;
      for (const slot of slots) semaphore.free(slot);
      if (this.#queue.size > 0) this.#look();
      else this.#passOn();
    };
    return new HeldLease(giveBack, undefined);
  }

  /** Wakes the thread whose turn it is, if there is a slot for it. */
  #passOn(): void {
    const semaphore = this.#semaphore;
    if (semaphore === undefined || this.#state === undefined) return;
    if (!semaphore.hasWaiters || semaphore.freeSlots === 0) return;
    this.#line.wakeNext(semaphore, this.#state.memory);
  }

  #timedOut(timeout: number): SemaphoreTimeoutError {
    return new SemaphoreTimeoutError({ name: this.name, limit: this.limit, timeout, scope: 'global' });
  }
}

/** Why no cell can be had. */
export function noRoom(limit: number): string {
  return fitsCells(limit)
    ? 'expected room for it in the memory that the threads share, got none left: too many names are held or waited for ' +
        'at once. Use fewer names, or scope `class` or `self`.'
    : `expected a limit that can be counted slot by slot (at most 1048576), got ${limit}: leave the limit out, or use ` +
        'scope `class` or `self`.';
}
