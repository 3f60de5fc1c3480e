import { SemaphoreLimitError, SemaphoreLostError, SemaphoreTimeoutError } from '../basics/errors.ts';
import { HeldLease } from '../basics/held-lease.ts';
import { describeMark, type Mark } from '../basics/marks.ts';
import { runSteps } from '../basics/run-steps.ts';
import { delay } from '../basics/seconds.ts';
import { unavailable } from '../basics/semaphore-directory.ts';
import { reap } from '../basics/slot-steps.ts';
import {
  readAcquire,
  readTryAcquire,
  type AcquireOptions,
  type SlotPool,
  type SlotReport,
  type TryAcquireOptions,
} from '../basics/slot-pool.ts';
import { WaitQueue, type Waiter } from '../basics/wait-queue.ts';
import { HeldFlags } from './held-flags.ts';
import { idleFolders } from './idle-folders.ts';
import { SlotFolder, type SlotListing, type SlotPlace } from './slot-folder.ts';
import { arrivalTime, TicketLine } from './ticket-line.ts';

// A release wakes the first waiter. What no one can announce, the death of a holder, is found by a look every so often.
const TICK_MS = 20;
const TICK_PER_RANK_MS = 10;
const LONGEST_TICK_MS = 250;
const COLLISION_TRIES = 6;
/** Owners looked at in one look; of a larger limit, as many in each look, in turns. */
const REAPED_PER_LOOK = 16;

const KNOWN_LIMITS = 1000;
/** By folder: with which limit this thread has used it. */
const lastLimits = new Map<string, number>();

/** Slots in lock files, shared by all processes that use the same folder. One object for a folder and limit a thread. */
export class LockfileSlots implements SlotPool {
  readonly name: string;
  readonly limit: number;
  readonly #folder: SlotFolder;
  readonly #queue = new WaitQueue<HeldLease>((waiter) => this.#left(waiter));
  readonly #line: TicketLine;
  /** What this thread holds. */
  readonly #held = new Map<HeldLease, HeldFlags>();
  #serving = false;
  /** A wake since the last look; it may come while nobody pauses. */
  #woken = false;
  #resume: () => void = () => {};
  #reapFrom = 0;
  /** How often a slot that looked free was lost to someone who tried as well. */
  #collisions = 0;

  constructor(place: SlotPlace) {
    this.name = place.name;
    this.limit = place.limit;
    this.#folder = new SlotFolder(place, {
      woken: () => this.#wake(),
      deleted: () => {
        this.#line.clear();
        this.#checkHeld();
        this.#wake();
      },
      beat: () => this.#checkHeld(),
    });
    this.#line = new TicketLine(this.#folder, this.#queue);
  }

  /** Nobody in this thread holds or waits. */
  get isIdle(): boolean {
    return this.#held.size === 0 && this.#queue.size === 0;
  }

  async acquire(options?: AcquireOptions): Promise<HeldLease> {
    const { timeout, signal, permits } = readAcquire(options, this.limit);
    signal?.throwIfAborted();
    const place = arrivalTime();
    const lease = timeout === 0 ? await this.#lookOnce(permits) : this.#takeNow(permits);
    if (lease !== undefined) {
      if (signal?.aborted !== true) return lease;
      await lease.release();
      signal.throwIfAborted();
    }
    if (timeout === 0) throw this.#timedOut(0);
    const granted = this.#queue.enter({ timeout, signal, permits, place }, (limit) => this.#timedOut(limit));
    const { newest } = this.#queue;
    try {
      if (newest !== undefined) this.#line.enter(newest);
    } catch (error) {
      newest?.fail(this.#asUnavailable(error));
    }
    if (!this.#serving) void this.#serve();
    return granted;
  }

  async tryAcquire(options?: TryAcquireOptions): Promise<HeldLease | null> {
    const permits = readTryAcquire(options, this.limit);
    return (await this.#lookOnce(permits)) ?? null;
  }

  async inspect(): Promise<SlotReport> {
    const { name, limit } = this;
    const { flags, tickets } = this.#folder.listIfAny();
    const describe = (mark: Mark, since = 0) => ({ ...describeMark(mark), since: new Date(since).toISOString() });
    // What a call has got while it still waits for more is a reservation: its ticket says so.
    const waiting = new Set(tickets.map(({ owner, count }) => `${owner} ${count}`));
    const held = flags.filter(({ owner, count }) => !waiting.has(`${owner} ${count}`));
    const holders = held.map((mark) => ({ slot: mark.numbers[0] ?? 0, ...describe(mark, mark.numbers[1]) }));
    holders.sort((a, b) => a.slot - b.slot);
    return {
      name,
      scope: 'multiprocess',
      limit,
      directory: this.#folder.path,
      holders,
      waiters: tickets.map((mark) => ({ ...describe(mark, mark.numbers[2]), permits: mark.numbers[1] ?? 1 })),
    };
  }

  /** Takes its mark out of the folder. Only while it is idle. */
  close(): void {
    if (this.isIdle) this.#folder.close();
  }

  /** One try without a ticket. Whoever waits already comes first. */
  #takeNow(permits: number): HeldLease | undefined {
    idleFolders.use(this);
    this.#checkLimit();
    try {
      this.#folder.open();
      if (this.#queue.size > 0) return undefined;
      const listing = this.#folder.list();
      if (listing.tickets.length > 0 && this.#line.hasWaiters(listing)) return undefined;
      const flags = new HeldFlags(this.#folder, this.#folder.nextCount());
      this.#collect(flags, permits, listing);
      if (flags.size === permits) return this.#lease(flags);
      flags.free();
      return undefined;
    } catch (error) {
      throw this.#asUnavailable(error);
    } finally {
      if (this.isIdle) idleFolders.rest(this);
    }
  }

  /** Processes find out by the folder. Within the thread it is known also of a name that rests. */
  #checkLimit(): void {
    const { path } = this.#folder;
    const last = lastLimits.get(path);
    if (last === this.limit) return;
    if (last !== undefined) throw new SemaphoreLimitError(this.name, this.limit, last);
    if (lastLimits.size >= KNOWN_LIMITS) lastLimits.clear();
    lastLimits.set(path, this.limit);
  }

  /** For a caller that will not wait. Two that try for a slot at the same instant both step back: so a few tries. */
  async #lookOnce(permits: number): Promise<HeldLease | undefined> {
    for (let tries = 0; tries < COLLISION_TRIES; tries++) {
      const collisions = this.#collisions;
      const lease = this.#takeNow(permits);
      if (lease !== undefined || this.#collisions === collisions) return lease;
      await delay((Math.random() * 2 ** tries) / 1000, undefined);
    }
    return undefined;
  }

  /** Serves this thread's waiters as long as there are any. */
  async #serve(): Promise<void> {
    this.#serving = true;
    idleFolders.use(this);
    try {
      for (let first = this.#queue.first; first !== undefined; first = this.#queue.first) {
        this.#folder.open();
        this.#folder.beat();
        if (!this.#line.enter(first)) {
          // Deleted under way. The listing notices, and makes it again.
          this.#folder.list();
          await this.#pause(0);
          continue;
        }
        // Listed after the ticket is in: a release before that is seen now, one after that wakes this thread.
        this.#woken = false;
        const listing = this.#folder.list();
        const flags = this.#line.flagsOf(first);
        const { isOurs, rank } = this.#line.turn(listing, (mark) => this.#available(listing, mark));
        if (isOurs && flags !== undefined) this.#collect(flags, first.permits, listing);
        else this.#standBack(flags, listing);
        if (flags?.size === first.permits) this.#grant(first, flags);
        else await this.#pause(rank);
      }
    } catch (error) {
      this.#queue.failAll(this.#asUnavailable(error));
    } finally {
      this.#serving = false;
      this.#passOn();
      if (this.isIdle) idleFolders.rest(this);
    }
  }

  #grant(first: Waiter<HeldLease>, flags: HeldFlags): void {
    const lease = this.#lease(flags);
    first.grant(lease);
    this.#line.leave(first);
    // Released were several slots perhaps, and only one waiter was woken.
    this.#passOn();
  }

  /** Takes what is free of what is wanted. */
  #collect(flags: HeldFlags, permits: number, listing: SlotListing): void {
    if (!this.#folder.isSettled) return;
    const busy = this.#reap(listing);
    const since = Date.now();
    const offset = Math.floor(Math.random() * this.limit);
    for (let i = 0; i < this.limit && flags.size < permits; i++) {
      const slot = (i + offset) % this.limit;
      if (busy.has(slot) || flags.has(slot)) continue;
      if (flags.take(slot, since) === 'busy') this.#collisions++;
    }
  }

  /** It is another thread's turn: what was reserved is that one's, and so are slots of the dead. */
  #standBack(flags: HeldFlags | undefined, listing: SlotListing): void {
    const reserved = flags?.size ?? 0;
    flags?.free();
    const busy = new Set(listing.flags.map(({ numbers }) => numbers[0] ?? 0)).size;
    if (this.#reap(listing).size < busy || reserved > 0) this.#line.wakeNext(this.#folder.list());
  }

  /** Frees slots whose owners have ended. @returns those that are not free */
  #reap(listing: SlotListing): Set<number> {
    const busy = new Set(listing.flags.map(({ numbers }) => numbers[0] ?? 0));
    const { length } = listing.flags;
    const marks = new Map(listing.flags.map((mark) => [mark.name, mark]));
    for (let i = Math.min(length, REAPED_PER_LOOK); i > 0; i--) {
      const flag = listing.flags[this.#reapFrom++ % length];
      if (flag === undefined || !this.#folder.isDead(flag, listing)) continue;
      const slot = flag.numbers[0] ?? 0;
      const isDead = (name: string): boolean => {
        const mark = marks.get(name);
        return mark !== undefined && this.#folder.isDead(mark, listing);
      };
      if (runSteps(this.#folder.place(slot), reap(), isDead) === 'free') busy.delete(slot);
    }
    return busy;
  }

  /** How many slots a waiting call could have: those that are free, and those that it has reserved. */
  #available({ flags }: SlotListing, { owner, count }: Mark): number {
    const others = flags.filter((flag) => flag.owner !== owner || flag.count !== count);
    return this.limit - new Set(others.map(({ numbers }) => numbers[0])).size;
  }

  /** Until someone wakes this thread's line, or the tick. */
  #pause(rank: number): Promise<void> {
    if (this.#woken) return Promise.resolve();
    const tick = Math.min(TICK_MS + TICK_PER_RANK_MS * rank, LONGEST_TICK_MS) * (0.8 + 0.4 * Math.random());
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(), tick);
      this.#resume = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #wake(): void {
    this.#woken = true;
    this.#resume();
  }

  #left(waiter: Waiter<HeldLease>): void {
    this.#line.flagsOf(waiter)?.free();
    this.#line.leave(waiter);
    this.#passOn();
    this.#wake();
  }

  #lease(flags: HeldFlags): HeldLease {
    const giveBack = (): void => {
      flags.free();
      this.#held.delete(lease);
      this.#passOn();
      if (this.isIdle) idleFolders.rest(this);
    };
    const lease = new HeldLease(giveBack, undefined, true);
    this.#held.set(lease, flags);
    return lease;
  }

  /** Wakes the first waiter if there is a slot for it. */
  #passOn(): void {
    if (!this.#folder.isOpen) return;
    try {
      const listing = this.#folder.list();
      if (listing.tickets.length === 0 || listing.flags.length >= this.limit) return;
      if (this.#line.wakeNext(listing)) this.#wake();
    } catch {
      // Only a courtesy: whoever waits looks by itself, and meets the same error.
    }
  }

  #checkHeld(): void {
    for (const [lease, flags] of this.#held) {
      const path = flags.missing();
      if (path !== undefined) lease.lose(new SemaphoreLostError(this.name, path));
    }
  }

  #asUnavailable(error: unknown): Error {
    const { code = 'ERR_' } = error as NodeJS.ErrnoException;
    return code.startsWith('ERR_') ? (error as Error) : unavailable(this.name, this.#folder.path, error);
  }

  #timedOut(timeout: number): SemaphoreTimeoutError {
    return new SemaphoreTimeoutError({ name: this.name, limit: this.limit, timeout, scope: 'multiprocess' });
  }
}
