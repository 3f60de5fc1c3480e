import { closeSync, openSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { keepAtExit, removeAtExit } from '../basics/exit-cleanup.ts';
import type { Mark } from '../basics/marks.ts';
import type { HeldLease } from '../basics/held-lease.ts';
import { Sleepers } from '../basics/sleepers.ts';
import type { WaitQueue, Waiter } from '../basics/wait-queue.ts';
import { HeldFlags } from './held-flags.ts';
import type { SlotFolder, SlotListing } from './slot-folder.ts';

/** How many calls of one thread have a ticket at once; the others wait for one, so that listings stay short. */
const TICKETS = 100;

let lastArrival = 0;

/** A moment that all processes of the machine agree on, in µs; never the same twice in a thread. */
export function arrivalTime(): number {
  lastArrival = Math.max(lastArrival + 1, Math.floor(Number(process.hrtime.bigint()) / 1000));
  return lastArrival;
}

/** A call of this thread in the line. */
interface Place {
  readonly file: string;
  /** What it has got so far of what it wants. */
  readonly flags: HeldFlags;
}

/**
 * The line for one semaphore, over all processes: a file for each waiting call, which sorts by its arrival.
 *
 * Whoever is first takes what is free, and keeps it until it has all that it wants; the others only look whether it is
 * alive, and awake. So one that wants many slots is not starved by those that want few, two never hold a part each for
 * ever, and nobody is overtaken.
 */
export class TicketLine {
  readonly #folder: SlotFolder;
  readonly #queue: WaitQueue<HeldLease>;
  readonly #places = new Map<Waiter<HeldLease>, Place>();
  readonly #sleepers = new Sleepers();

  constructor(folder: SlotFolder, queue: WaitQueue<HeldLease>) {
    this.#folder = folder;
    this.#queue = queue;
  }

  /**
   * A call gets its ticket, if the thread has not too many.
   *
   * @returns false: the folder is gone
   */
  enter(waiter: Waiter<HeldLease>): boolean {
    if (this.#places.size >= TICKETS || this.#places.has(waiter)) return true;
    const count = this.#folder.nextCount();
    const arrival = String(waiter.place).padStart(17, '0');
    const file = join(this.#folder.path, this.#folder.mark('wait', [arrival, waiter.permits, waiter.since], count));
    try {
      closeSync(openSync(file, 'wx', 0o600));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
    removeAtExit(file);
    this.#places.set(waiter, { file, flags: new HeldFlags(this.#folder, count) });
    return true;
  }

  /** What the first call has got so far. */
  flagsOf(waiter: Waiter<HeldLease>): HeldFlags | undefined {
    return this.#places.get(waiter)?.flags;
  }

  /** A call has what it wants, or does not wait any more. Its ticket goes to the next one without. */
  leave(waiter: Waiter<HeldLease>): void {
    this.#withdraw(waiter);
    if (this.#queue.size <= this.#places.size) return;
    for (const next of this.#queue) {
      if (this.#places.has(next)) continue;
      try {
        this.enter(next);
      } catch {
        // It enters once it is the first, and is told then.
      }
      break;
    }
  }

  /** The folder was deleted: all tickets with it, and what was reserved. */
  clear(): void {
    for (const [waiter, { flags }] of this.#places) {
      flags.free();
      this.#withdraw(waiter);
    }
  }

  /**
   * Whose turn it is, among those who live and are awake.
   *
   * @returns `rank`: how many such calls of other threads come before this thread's first one
   */
  turn(listing: SlotListing, available: (mark: Mark) => number): { isOurs: boolean; rank: number } {
    const ahead = this.#ahead(listing);
    for (let first = ahead[0]; first !== undefined; first = ahead[0]) {
      if (available(first) < (first.numbers[1] ?? 1)) {
        this.#sleepers.onTime();
        break;
      }
      if (!this.#sleepers.isLate(first.name, first.owner, this.#folder.sign(first, listing.users))) break;
      ahead.shift();
    }
    return { isOurs: ahead.length === 0, rank: ahead.length };
  }

  /** Whether anyone waits, in any thread. Removes the tickets of the dead. */
  hasWaiters(listing: SlotListing): boolean {
    return listing.tickets.some((ticket) => !this.#isGone(ticket, listing));
  }

  /** Wakes whoever is next. @returns whether that is this thread */
  wakeNext(listing: SlotListing): boolean {
    for (const ticket of listing.tickets) {
      if (this.#folder.isOwn(ticket)) return true;
      if (this.#isGone(ticket, listing)) continue;
      this.#folder.wake(ticket, listing);
      // Whoever sleeps is to hear of it, but nobody waits for that.
      if (!this.#isAsleep(ticket, listing)) return false;
    }
    return false;
  }

  #withdraw(waiter: Waiter<HeldLease>): void {
    const place = this.#places.get(waiter);
    if (place === undefined) return;
    this.#places.delete(waiter);
    keepAtExit(place.file);
    try {
      unlinkSync(place.file);
    } catch {
      // Someone deleted it.
    }
  }

  #ahead(listing: SlotListing): Mark[] {
    const ahead: Mark[] = [];
    for (const ticket of listing.tickets) {
      if (this.#folder.isOwn(ticket)) break;
      // Only the first place matters to others; a dead ticket further back is found once it is there.
      if (ahead.length === 0 && (this.#isGone(ticket, listing) || this.#isAsleep(ticket, listing))) continue;
      ahead.push(ticket);
    }
    return ahead;
  }

  #isGone(ticket: Mark, listing: SlotListing): boolean {
    if (!this.#folder.isDead(ticket, listing)) return false;
    this.#folder.remove(ticket);
    return true;
  }

  #isAsleep(ticket: Mark, { users }: SlotListing): boolean {
    return this.#sleepers.isAsleep(ticket.owner, () => this.#folder.sign(ticket, users));
  }
}
