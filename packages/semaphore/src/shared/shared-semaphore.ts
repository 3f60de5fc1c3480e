import { ownerThread, ownerWord, type SharedMemory } from './shared-memory.ts';
import { selfIdentity } from '../basics/thread-identity.ts';

// One semaphore in shared memory, in 32-bit words:
//
//   [0] next ticket   then 64 waiting threads: [0] owner  [1] ticket   then one word a slot: its owner
//
// Taking and freeing a slot is one compare-and-exchange each, so that no death can leave one half taken. A thread that
// finds no free place among the waiters waits all the same: it looks at every tick instead of being woken.

const WAITERS = 64;
const WAITERS_AT = 1;
const SLOTS_AT = WAITERS_AT + WAITERS * 2;

/** A thread that waits, with the ticket of its first caller. */
export interface SharedWaiter {
  readonly threadId: number;
  readonly ticket: number;
}

/** Whether one ticket was drawn before another; the counter may run over. */
const isEarlier = (ticket: number, than: number): boolean => ((ticket - than) | 0) < 0;

export class SharedSemaphore {
  readonly #memory: SharedMemory;
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #limit: number;
  readonly #own = ownerWord(selfIdentity().threadId);
  /** Where this thread stands among the waiters; 0 = nowhere. */
  #place = 0;
  #firstSlot = 0;

  constructor(memory: SharedMemory, at: number, limit: number) {
    this.#memory = memory;
    this.#words = memory.words;
    this.#at = at;
    this.#limit = limit;
  }

  static size(limit: number): number {
    return SLOTS_AT + limit;
  }

  /** @returns the slot, or `undefined` if all are held */
  take(): number | undefined {
    for (let i = 0; i < this.#limit; i++) {
      const slot = (this.#firstSlot + i) % this.#limit;
      if (Atomics.compareExchange(this.#words, this.#slotAt(slot), 0, this.#own) !== 0) continue;
      this.#firstSlot = (slot + 1) % this.#limit;
      return slot;
    }
    return undefined;
  }

  free(slot: number): void {
    Atomics.compareExchange(this.#words, this.#slotAt(slot), this.#own, 0);
  }

  get freeSlots(): number {
    let free = 0;
    for (let slot = 0; slot < this.#limit; slot++) if (Atomics.load(this.#words, this.#slotAt(slot)) === 0) free++;
    return free;
  }

  drawTicket(): number {
    return Atomics.add(this.#words, this.#at, 1);
  }

  /** Shows the others that this thread waits, and since when. */
  stand(ticket: number): void {
    if (this.#place === 0) this.#place = this.#claimPlace();
    if (this.#place === 0) return;
    Atomics.store(this.#words, this.#place + 1, ticket);
    Atomics.store(this.#words, this.#place, this.#own);
  }

  leave(): void {
    if (this.#place !== 0) Atomics.store(this.#words, this.#place, 0);
    this.#place = 0;
  }

  /** Threads that wait, whether they live or not; first come, first. */
  waiters(): SharedWaiter[] {
    const found: SharedWaiter[] = [];
    for (let at = this.#at + WAITERS_AT; at < this.#at + SLOTS_AT; at += 2) {
      const owner = Atomics.load(this.#words, at);
      if (owner > 0) found.push({ threadId: ownerThread(owner), ticket: Atomics.load(this.#words, at + 1) });
    }
    found.sort((a, b) => (isEarlier(a.ticket, b.ticket) ? -1 : 1));
    return found;
  }

  get hasWaiters(): boolean {
    for (let at = this.#at + WAITERS_AT; at < this.#at + SLOTS_AT; at += 2) {
      if (Atomics.load(this.#words, at) > 0) return true;
    }
    return false;
  }

  /** Other threads that came before this ticket. */
  ahead(ticket: number): number {
    return this.waiters().filter(
      (other) => other.threadId !== ownerThread(this.#own) && isEarlier(other.ticket, ticket),
    ).length;
  }

  holders(): { slot: number; threadId: number }[] {
    const found: { slot: number; threadId: number }[] = [];
    for (let slot = 0; slot < this.#limit; slot++) {
      const owner = Atomics.load(this.#words, this.#slotAt(slot));
      if (owner !== 0) found.push({ slot, threadId: ownerThread(owner) });
    }
    return found;
  }

  /** Takes slots and places from threads that have ended. */
  reap(): void {
    const verdicts = new Map<number, boolean>();
    const isDead = (word: number): boolean => {
      const thread = ownerThread(word);
      let dead = verdicts.get(thread);
      if (dead === undefined) verdicts.set(thread, (dead = this.#memory.isThreadDead(thread)));
      return dead;
    };
    const clear = (at: number): void => {
      const word = Atomics.load(this.#words, at);
      // Exchanged, not stored: its next owner may be there already.
      if (word !== 0 && Math.abs(word) !== this.#own && isDead(word)) Atomics.compareExchange(this.#words, at, word, 0);
    };
    for (let at = this.#at + WAITERS_AT; at < this.#at + SLOTS_AT; at += 2) clear(at);
    for (let slot = 0; slot < this.#limit; slot++) clear(this.#slotAt(slot));
  }

  #slotAt(slot: number): number {
    return this.#at + SLOTS_AT + slot;
  }

  #claimPlace(): number {
    for (let at = this.#at + WAITERS_AT; at < this.#at + SLOTS_AT; at += 2) {
      if (Atomics.compareExchange(this.#words, at, 0, -this.#own) === 0) return at;
    }
    return 0;
  }
}
