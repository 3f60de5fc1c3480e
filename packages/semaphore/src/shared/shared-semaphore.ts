import { selfIdentity } from '../basics/thread-identity.ts';
import { isCurrent, type Cell } from './shared-cells.ts';
import { CELL_HEADER, ownerThread, ownerWord, PLACE_WORDS, PLACES, SLOT_WORDS, SLOTS_AT } from './shared-layout.ts';
import type { SharedMemory } from './shared-memory.ts';

// One semaphore in shared memory (see shared-layout.ts). Taking and freeing a slot is one compare-and-exchange each, so
// that no death can leave one half taken. A call that finds no free place among the waiters waits all the same: it looks
// at every tick instead of being woken. Half of the places are for the first call of each thread.

const LATER_PLACES = PLACES / 2;
const PLACES_AT = CELL_HEADER;

/** A call that waits. */
export interface SharedWaiter {
  readonly threadId: number;
  readonly ticket: number;
  readonly permits: number;
  /** In ms since 1970. */
  readonly since: number;
}

/** Whether one ticket was drawn before another; the counter may run over. */
export const isEarlier = (ticket: number, than: number): boolean => ((ticket - than) | 0) < 0;

export class SharedSemaphore {
  readonly #memory: SharedMemory;
  readonly #words: Int32Array;
  readonly #cell: Cell;
  readonly #own = ownerWord(selfIdentity().threadId);
  #firstSlot = 0;

  constructor(memory: SharedMemory, cell: Cell) {
    this.#memory = memory;
    this.#words = memory.words;
    this.#cell = cell;
  }

  /** Whether the cell is still this semaphore's; asked after a claim was left in it. */
  get isCurrent(): boolean {
    return isCurrent(this.#memory, this.#cell);
  }

  /** Reserves a free slot, for this thread. @returns `undefined` if all are held */
  reserve(): number | undefined {
    const { limit } = this.#cell;
    for (let i = 0; i < limit; i++) {
      const slot = (this.#firstSlot + i) % limit;
      const at = this.#slotAt(slot);
      if (Atomics.load(this.#words, at) !== 0) continue;
      if (Atomics.compareExchange(this.#words, at, 0, this.#own) !== 0) continue;
      Atomics.store(this.#words, at + 1, 0);
      this.#firstSlot = (slot + 1) % limit;
      return slot;
    }
    return undefined;
  }

  /** A reserved slot is held from now on. */
  hold(slot: number, since: number): void {
    Atomics.store(this.#words, this.#slotAt(slot) + 1, this.#memory.packTime(since));
  }

  free(slot: number): void {
    Atomics.store(this.#words, this.#slotAt(slot) + 1, 0);
    Atomics.compareExchange(this.#words, this.#slotAt(slot), this.#own, 0);
  }

  get freeSlots(): number {
    let free = 0;
    for (let slot = 0; slot < this.#cell.limit; slot++) {
      if (Atomics.load(this.#words, this.#slotAt(slot)) === 0) free++;
    }
    return free;
  }

  /** Slots that are free, or reserved for a call of that thread. */
  availableTo(threadId: number): number {
    let available = 0;
    for (let slot = 0; slot < this.#cell.limit; slot++) {
      const at = this.#slotAt(slot);
      const owner = Atomics.load(this.#words, at);
      const isReserved = owner === ownerWord(threadId) && Atomics.load(this.#words, at + 1) === 0;
      if (owner === 0 || isReserved) available++;
    }
    return available;
  }

  drawTicket(): number {
    return Atomics.add(this.#words, this.#cell.at + 6, 1);
  }

  /**
   * Shows the others that a call of this thread waits.
   *
   * @param isFirst it is the thread's first one
   * @returns the place; 0 if there is none left
   */
  stand(ticket: number, permits: number, since: number, isFirst: boolean): number {
    for (let i = 0; i < (isFirst ? PLACES : LATER_PLACES); i++) {
      const at = this.#placeAt(i);
      if (Atomics.compareExchange(this.#words, at, 0, -this.#own) !== 0) continue;
      Atomics.store(this.#words, at + 1, ticket);
      Atomics.store(this.#words, at + 2, permits);
      Atomics.store(this.#words, at + 3, this.#memory.packTime(since));
      Atomics.store(this.#words, at, this.#own);
      return at;
    }
    return 0;
  }

  leave(place: number): void {
    if (place !== 0) Atomics.store(this.#words, place, 0);
  }

  /** Calls that wait, whether their threads live or not; first come, first. */
  waiters(): SharedWaiter[] {
    const found: SharedWaiter[] = [];
    for (let i = 0; i < PLACES; i++) {
      const at = this.#placeAt(i);
      const owner = Atomics.load(this.#words, at);
      if (owner <= 0) continue;
      const [ticket = 0, permits = 0, since = 0] = this.#words.subarray(at + 1, at + PLACE_WORDS);
      found.push({ threadId: ownerThread(owner), ticket, permits, since: this.#memory.unpackTime(since) });
    }
    found.sort((a, b) => (isEarlier(a.ticket, b.ticket) ? -1 : 1));
    return found;
  }

  /** Whether a call of another thread waits. */
  get hasOtherWaiters(): boolean {
    for (let i = 0; i < PLACES; i++) {
      const owner = Atomics.load(this.#words, this.#placeAt(i));
      if (owner > 0 && owner !== this.#own) return true;
    }
    return false;
  }

  get hasWaiters(): boolean {
    for (let i = 0; i < PLACES; i++) if (Atomics.load(this.#words, this.#placeAt(i)) > 0) return true;
    return false;
  }

  /** Held slots, without those that are reserved for a call that still waits. */
  holders(): { slot: number; threadId: number; since: number }[] {
    const found: { slot: number; threadId: number; since: number }[] = [];
    for (let slot = 0; slot < this.#cell.limit; slot++) {
      const at = this.#slotAt(slot);
      const owner = Atomics.load(this.#words, at);
      const since = Atomics.load(this.#words, at + 1);
      if (owner !== 0 && since !== 0) {
        found.push({ slot, threadId: ownerThread(owner), since: this.#memory.unpackTime(since) });
      }
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
    for (let i = 0; i < PLACES; i++) clear(this.#placeAt(i));
    for (let slot = 0; slot < this.#cell.limit; slot++) clear(this.#slotAt(slot));
  }

  #slotAt(slot: number): number {
    return this.#cell.at + SLOTS_AT + slot * SLOT_WORDS;
  }

  #placeAt(place: number): number {
    return this.#cell.at + PLACES_AT + place * PLACE_WORDS;
  }
}
