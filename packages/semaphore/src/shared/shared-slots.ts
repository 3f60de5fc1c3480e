import { SemaphoreLimitError, SemaphoreTimeoutError, SemaphoreUnavailableError } from '../basics/errors.ts';
import { HeldLease } from '../basics/held-lease.ts';
import { readWait } from '../basics/seconds.ts';
import { nameHash } from '../basics/semaphore-directory.ts';
import { SharedSemaphore } from './shared-semaphore.ts';
import { currentState, joinState, type SharedState } from './shared-state.ts';
import { listenForWakes, type WakeListener } from './shared-wakes.ts';
import type { AcquireOptions, Lease, SlotPool, SlotReport } from '../basics/slot-pool.ts';
import { WaitQueue } from '../basics/wait-queue.ts';

/** Slots in memory that all threads of the process share. One object for a name a thread. */
export class SharedSlots implements SlotPool {
  readonly name: string;
  readonly limit: number;
  readonly #key: string;
  readonly #queue = new WaitQueue<Lease>(() => this.#look(false));
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

  async acquire(options: AcquireOptions = {}): Promise<Lease> {
    const timeout = readWait('timeout', options.timeout);
    options.signal?.throwIfAborted();
    const semaphore =
      this.#semaphore ?? this.#open((this.#state = currentState() ?? (await this.#join(options.signal))));
    let slot = this.#takeFirst(semaphore);
    if (slot === undefined && this.#queue.size === 0) {
      // Nobody here looks for dead owners yet.
      semaphore.reap();
      slot = this.#takeFirst(semaphore);
    }
    if (slot !== undefined) return this.#lease(slot);
    if (timeout === 0) throw this.#timedOut(0);
    const granted = this.#queue.enter(options, (limit) => this.#timedOut(limit), semaphore.drawTicket());
    this.#look(false);
    return granted;
  }

  async inspect(): Promise<SlotReport> {
    const { memory } = (this.#state ??= currentState() ?? (await joinState(this.name)));
    const semaphore = (this.#semaphore ??= this.#open(this.#state));
    const describe = (threadId: number) =>
      ({ pid: process.pid, threadId, state: memory.isThreadDead(threadId) ? 'dead' : 'alive' }) as const;
    return {
      name: this.name,
      scope: 'global',
      limit: this.limit,
      directory: null,
      holders: semaphore.holders().map(({ slot, threadId }) => ({ slot, ...describe(threadId) })),
      waiters: semaphore.waiters().map(({ threadId }) => describe(threadId)),
    };
  }

  /** A slot for someone who has just come, if nobody waits. */
  #takeFirst(semaphore: SharedSemaphore): number | undefined {
    return this.#queue.size === 0 && !semaphore.hasWaiters ? semaphore.take() : undefined;
  }

  /** The wait for the state ends with the caller's signal; the state is still fetched, for the next caller. */
  #join(signal: AbortSignal | undefined): Promise<SharedState> {
    const joined = joinState(this.name);
    if (signal === undefined) return joined;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', onAbort, { once: true });
      void joined.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    });
  }

  #open(state: SharedState): SharedSemaphore {
    const found = state.memory.semaphore(nameHash(this.#key), this.limit, SharedSemaphore.size(this.limit));
    if (found === undefined) {
      throw new SemaphoreUnavailableError(
        this.name,
        `expected room for it in the memory that the threads share, got none left: too many different names (at most ` +
          `8192), or a limit too large for counting slot by slot (${this.limit}).`,
      );
    }
    if (found.limit !== this.limit) throw new SemaphoreLimitError(this.name, this.limit, found.limit);
    // Calls that came while the state was fetched get here one after the other, and must share one place in the line.
    return (this.#semaphore ??= new SharedSemaphore(state.memory, found.at, found.limit));
  }

  /**
   * Gives this thread's callers what is free for them.
   *
   * @param eager take any free slot, also one whose turn is another thread's: that one has not reacted for a tick
   */
  #look(eager: boolean): void {
    const semaphore = this.#semaphore;
    if (semaphore === undefined) return;
    let granted = 0;
    for (let first = this.#queue.first; first !== undefined; first = this.#queue.first) {
      // Shown before the look: a slot freed before that is seen now, one freed later wakes this thread.
      semaphore.stand(first.place);
      if (!eager && semaphore.ahead(first.place) >= semaphore.freeSlots) break;
      const slot = semaphore.take();
      if (slot === undefined) break;
      first.grant(this.#lease(slot));
      granted++;
    }
    if (this.#queue.size === 0) {
      semaphore.leave();
      this.#listener?.stop();
      this.#listener = undefined;
    } else {
      this.#listener ??= this.#listen();
    }
    // There may have been one wake for several slots, or for a caller that has left.
    if (granted > 0 || this.#queue.size === 0) this.#passOn();
  }

  #listen(): WakeListener | undefined {
    if (this.#state === undefined) return undefined;
    return listenForWakes(this.#state, {
      woken: () => this.#look(false),
      tick: () => {
        this.#semaphore?.reap();
        this.#look(true);
      },
      rank: () => this.#semaphore?.ahead(this.#queue.first?.place ?? 0) ?? 0,
    });
  }

  #lease(slot: number): Lease {
    return new HeldLease(() => {
      const first = this.#queue.first;
      if (first !== undefined && this.#semaphore?.ahead(first.place) === 0) {
        // Handed on within the thread, which owns the slot anyway.
        first.grant(this.#lease(slot));
        this.#look(false);
        return;
      }
      this.#semaphore?.free(slot);
      this.#passOn();
    });
  }

  /** Wakes the thread whose turn it is, if there is a slot for it. */
  #passOn(): void {
    const semaphore = this.#semaphore;
    if (semaphore === undefined || this.#state === undefined || !semaphore.hasWaiters || semaphore.freeSlots === 0)
      return;
    const next = semaphore.waiters()[0];
    if (next === undefined) return;
    this.#state.memory.wakeThread(next.threadId);
  }

  #timedOut(timeout: number): SemaphoreTimeoutError {
    return new SemaphoreTimeoutError({ name: this.name, limit: this.limit, timeout, scope: 'global' });
  }
}
