import { join } from 'node:path';
import { SemaphoreLostError, SemaphoreTimeoutError } from '../basics/errors.ts';
import { HeldLease } from '../basics/held-lease.ts';
import { newMark } from '../basics/marks.ts';
import type { FlagPlace } from '../basics/run-steps.ts';
import { delay, readWait } from '../basics/seconds.ts';
import { unavailable } from '../basics/semaphore-directory.ts';
import { SlotFolder, type SlotListing } from './slot-folder.ts';
import { loadSlotLocks, type SlotLocks } from './slot-lock.ts';
import type { AcquireOptions, Lease, SlotPool, SlotReport } from '../basics/slot-pool.ts';
import { WaitQueue } from '../basics/wait-queue.ts';
import { arrivalTime, touchTicket, WaitTicket } from '../basics/wait-ticket.ts';

// A release wakes the first waiter by its ticket. What no one can announce, the death of a holder, is found by a look
// every so often; it also takes a free slot whose turn is a waiter's that is blocked or stopped.
const TICK_MS = 20;
const TICK_PER_RANK_MS = 10;
const LONGEST_TICK_MS = 250;
const COLLISION_TRIES = 6;
/** Owners looked at in one tick; of a larger limit, as many in each tick, in turns. */
const REAPED_PER_TICK = 16;

/** Slots in lock files, shared by all processes that use the same folder. One object for a folder and limit a thread. */
export class LockfileSlots implements SlotPool {
  readonly name: string;
  readonly limit: number;
  readonly #folder: SlotFolder;
  readonly #queue = new WaitQueue<Lease>(() => this.#wake(false));
  /** What this thread holds. */
  readonly #held = new Map<HeldLease, { place: FlagPlace; flag: string }>();
  #locks: SlotLocks | undefined;
  #ticket: WaitTicket | undefined;
  /** A wake since the last look; it may come while nobody pauses. */
  #woken = false;
  /** Take any free slot in the next look, whoever's turn it is. */
  #eager = false;
  #resume: () => void = () => {};
  #reapFrom = 0;
  /** How often a slot that looked free was lost to someone who tried as well. */
  #collisions = 0;

  constructor(name: string, limit: number, directory: string | undefined) {
    this.name = name;
    this.limit = limit;
    this.#folder = new SlotFolder(name, limit, directory, () => this.#checkHeld());
  }

  async acquire(options: AcquireOptions = {}): Promise<Lease> {
    const timeout = readWait('timeout', options.timeout);
    options.signal?.throwIfAborted();
    const arrival = arrivalTime();
    this.#folder.open();
    this.#locks ??= await loadSlotLocks();
    const lease = timeout === 0 ? await this.#lookOnce() : await this.#look(false);
    if (lease !== undefined) {
      if (options.signal?.aborted !== true) return lease;
      await lease.release();
    }
    options.signal?.throwIfAborted();
    if (timeout === 0) throw this.#timedOut(0);
    const granted = this.#queue.enter(options, (limit) => this.#timedOut(limit), arrival);
    if (this.#ticket === undefined) void this.#serve();
    return granted;
  }

  async inspect(): Promise<SlotReport> {
    const { name, limit } = this;
    return { name, scope: 'multiprocess', limit, directory: this.#folder.path, ...this.#folder.describe() };
  }

  /** One try without a ticket. Whoever waits already comes first. */
  async #look(thorough: boolean): Promise<Lease | undefined> {
    if (this.#queue.size > 0) return undefined;
    const listing = this.#folder.list();
    if (!thorough) return listing.tickets.length > 0 ? undefined : this.#take(listing, false);
    const waiting = listing.tickets.some((ticket) => this.#folder.isTicketLive(ticket));
    return waiting ? undefined : this.#take(listing, true);
  }

  /** For a caller that will not wait. Two that try for a slot at the same instant both step back: so a few tries. */
  async #lookOnce(): Promise<Lease | undefined> {
    for (let tries = 0; tries < COLLISION_TRIES; tries++) {
      const collisions = this.#collisions;
      const lease = await this.#look(true);
      if (lease !== undefined || this.#collisions === collisions) return lease;
      await delay((Math.random() * 2 ** tries) / 1000, undefined);
    }
    return undefined;
  }

  /** Serves this thread's waiters as long as there are any. */
  async #serve(): Promise<void> {
    const ticket = new WaitTicket(this.#folder.path, (touched) => this.#wake(touched));
    this.#ticket = ticket;
    try {
      for (let first = this.#queue.first; first !== undefined; first = this.#queue.first) {
        this.#folder.open();
        if (!ticket.place(first.place)) {
          // Deleted under way. The listing notices, and makes it again.
          this.#folder.list();
          await this.#pause(0);
          continue;
        }
        // Listed after the ticket is in: a release before that is seen now, one after that touches the ticket.
        const eager = this.#eager;
        this.#woken = this.#eager = false;
        const listing = this.#folder.list();
        const rank = this.#rank(listing, ticket);
        const free = this.limit - listing.busy.size;
        // Whoever is first looks for dead owners at once, the others when nothing moves.
        const isFirst = rank <= 0;
        const lease = eager || isFirst || rank < free ? await this.#take(listing, eager || isFirst) : undefined;
        if (lease !== undefined) {
          await this.#grant(lease);
          continue;
        }
        // It was touched for a caller that has left; the line goes on behind this ticket's new place.
        if (free > 0 && !eager) this.#passOn();
        await this.#pause(rank);
      }
    } catch (error) {
      this.#queue.failAll(this.#asUnavailable(error));
    } finally {
      ticket.remove();
      this.#ticket = undefined;
      this.#passOn();
    }
  }

  async #grant(lease: Lease): Promise<void> {
    const first = this.#queue.first;
    if (first === undefined) {
      await lease.release();
      return;
    }
    first.grant(lease);
    // Released were several slots perhaps, and only one waiter was woken.
    this.#passOn();
  }

  #rank(listing: SlotListing, ticket: WaitTicket): number {
    const { tickets } = listing;
    const rank = ticket.name === undefined ? -1 : tickets.indexOf(ticket.name);
    // Only the first place matters to others; a dead ticket further back is found once it is there.
    let dead = 0;
    while (dead < rank && !this.#folder.isTicketLive(tickets[dead] ?? '')) dead++;
    return rank - dead;
  }

  /** Until someone wakes this thread's line, or the tick. */
  #pause(rank: number): Promise<void> {
    if (this.#woken) return Promise.resolve();
    const tick = Math.min(TICK_MS + TICK_PER_RANK_MS * rank, LONGEST_TICK_MS) * (0.8 + 0.4 * Math.random());
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(true), tick);
      this.#resume = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #wake(eager: boolean): void {
    this.#woken = true;
    this.#eager ||= eager;
    this.#resume();
  }

  async #take(listing: SlotListing, reaping: boolean): Promise<Lease | undefined> {
    if (!this.#folder.isSettled) return undefined;
    const offset = Math.floor(Math.random() * this.limit);
    for (let i = 0; i < this.limit; i++) {
      const slot = (i + offset) % this.limit;
      if (listing.busy.has(slot)) continue;
      const lease = await this.#lock(slot);
      if (lease !== undefined) return lease;
    }
    if (!reaping) return undefined;
    for (let i = Math.min(this.limit, REAPED_PER_TICK); i > 0; i--) {
      const slot = this.#reapFrom++ % this.limit;
      const lease = this.#folder.reap(slot) ? await this.#lock(slot) : undefined;
      if (lease !== undefined) return lease;
    }
    return undefined;
  }

  async #lock(slot: number): Promise<Lease | undefined> {
    const place = this.#folder.place(slot);
    const flag = newMark(`slot.${slot}`);
    const onLost = (error: Error): void => lease.lose(this.#lost(flag, error));
    const lease: HeldLease = new HeldLease(async () => {
      const freed = this.#locks?.free(place);
      this.#held.delete(lease);
      this.#passOn();
      await freed;
    });
    try {
      if ((await this.#locks?.take(place, flag, onLost)) !== true) {
        this.#collisions++;
        return undefined;
      }
    } catch (error) {
      // The folder went away under way: the next listing makes it again.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw this.#asUnavailable(error);
    }
    this.#held.set(lease, { place, flag });
    return lease;
  }

  /** Wakes the first waiter if there is a slot for it. */
  #passOn(): void {
    try {
      const { busy, tickets } = this.#folder.list();
      if (busy.size >= this.limit) return;
      for (const ticket of tickets) {
        if (ticket === this.#ticket?.name) return this.#wake(true);
        if (this.#folder.isTicketLive(ticket) && touchTicket(join(this.#folder.path, ticket))) return;
      }
    } catch {
      // Only a courtesy: whoever waits looks by itself, and meets the same error.
    }
  }

  #checkHeld(): void {
    for (const [lease, { place, flag }] of this.#held) {
      if (this.#locks?.isHeld(place) !== true) lease.lose(this.#lost(flag));
    }
    this.#wake(true);
  }

  #lost(flag: string, cause?: Error): SemaphoreLostError {
    return new SemaphoreLostError(this.name, join(this.#folder.path, flag), cause);
  }

  #asUnavailable(error: unknown): Error {
    const { code = 'ERR_' } = error as NodeJS.ErrnoException;
    if (code.startsWith('ERR_')) return error as Error;
    return unavailable(this.name, this.#folder.path, error);
  }

  #timedOut(timeout: number): SemaphoreTimeoutError {
    return new SemaphoreTimeoutError({ name: this.name, limit: this.limit, timeout, scope: 'multiprocess' });
  }
}
