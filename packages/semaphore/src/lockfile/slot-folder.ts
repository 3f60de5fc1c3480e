import { readdirSync, rmdirSync, statSync, unlinkSync, watch, writeFileSync, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { isSemaphoreUnavailableError, SemaphoreLimitError } from '../basics/errors.ts';
import { removeAtExit } from '../basics/exit-cleanup.ts';
import { describeMark, isMarkDead, markState, newMark } from '../basics/marks.ts';
import { runSteps, type FlagPlace } from '../basics/run-steps.ts';
import { defaultDirectory, makeDirectory, semaphoreDirectory, unavailable } from '../basics/semaphore-directory.ts';
import type { SlotHolder, SlotWaiter } from '../basics/slot-pool.ts';
import { reap } from '../basics/slot-steps.ts';

/** What is in the folder at one moment. */
export interface SlotListing {
  /** Slots that someone has a flag for. */
  readonly busy: ReadonlySet<number>;
  /** Tickets of waiting threads, first come first. */
  readonly tickets: readonly string[];
}

const SLOT = /^slot\.([0-9]+)\./;
/** How long a user's mark is kept that nobody can judge from here. */
const UNSEEN_USER_MS = 86_400_000;
/** How often the folder may be deleted while it is being made. */
const OPEN_TRIES = 10;
/** After the folder was deleted under way: how long its holders, told by their watches, have to stop. */
const SETTLE_MS = 250;

/**
 * The folder of one semaphore:
 *
 * - `slot.<i>.<identity>.<unique>` a flag: the thread that owns the slot, or tries for it
 * - `wait.<arrival>.<identity>.<unique>` the ticket of a thread that waits
 * - `users/<limit>.<identity>.<unique>` a thread that uses the semaphore, and with which limit
 */
export class SlotFolder {
  readonly path: string;
  readonly #name: string;
  readonly #limit: number;
  readonly #base: string;
  readonly #isDefault: boolean;
  readonly #onDeleted: () => void;
  #user: string | undefined;
  #settledAt = 0;
  #watcher: FSWatcher | undefined;

  /** @param onDeleted called when someone deletes the folder under way; slots may be lost then */
  constructor(name: string, limit: number, directory: string | undefined, onDeleted: () => void) {
    this.#name = name;
    this.#limit = limit;
    this.#base = directory ?? defaultDirectory();
    this.#isDefault = directory === undefined && !process.env['THREADBUS_SEMAPHORE_DIR'];
    this.path = semaphoreDirectory(this.#base, name);
    this.#onDeleted = onDeleted;
  }

  /**
   * Makes the folder, and registers this thread with its limit. Does nothing if that is done.
   *
   * @throws {SemaphoreUnavailableError} no permission, no space
   * @throws {SemaphoreLimitError} a live thread uses another limit
   */
  open(): void {
    for (let tries = 0; this.#user === undefined; tries++) {
      try {
        this.#register();
      } catch (error) {
        // Gone between two steps: someone deletes it under way, or it can't be made at all.
        if (!isSemaphoreUnavailableError(error) || tries === OPEN_TRIES) throw error;
        if ((error.cause as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT') throw error;
      }
    }
  }

  /** Whether slots may be taken. Not for a while after the folder was deleted: others may not know yet that they lost theirs. */
  get isSettled(): boolean {
    return performance.now() >= this.#settledAt;
  }

  /** Where a slot's flags are, and what they begin with. */
  place(slot: number): FlagPlace {
    return { folder: this.path, prefix: `slot.${slot}.` };
  }

  /** @throws {SemaphoreUnavailableError} the folder can't be read, nor made again */
  list(): SlotListing {
    return parseEntries(this.#entries());
  }

  /** Frees a slot whose owner has ended. @returns whether it is free now */
  reap(slot: number): boolean {
    const isDead = (flag: string): boolean => isMarkDead(flag, () => modified(join(this.path, flag)));
    return runSteps(this.place(slot), reap(), isDead) === 'free';
  }

  /** Whether a ticket is of a thread that still waits; removes it if not. */
  isTicketLive(ticket: string): boolean {
    const path = join(this.path, ticket);
    if (!isMarkDead(ticket, () => modified(path))) return true;
    remove(path);
    return false;
  }

  /** Only looks: whoever asks needs not use the semaphore, nor know its limit. */
  describe(): { holders: SlotHolder[]; waiters: SlotWaiter[] } {
    const entries = this.#entriesIfAny();
    const holders = entries
      .filter((entry) => SLOT.test(entry))
      .map((flag) => ({ slot: Number(SLOT.exec(flag)?.[1]), ...describeMark(flag) }));
    holders.sort((a, b) => a.slot - b.slot);
    return { holders, waiters: parseEntries(entries).tickets.map((ticket) => describeMark(ticket)) };
  }

  /** Nothing for a folder that is not there. */
  #entriesIfAny(): string[] {
    try {
      return readdirSync(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw unavailable(this.#name, this.path, error);
    }
  }

  #entries(): string[] {
    try {
      const entries = readdirSync(this.path);
      // The folder may be another one by now, which someone has made anew.
      if (this.#user === undefined || modified(this.#user) > 0) return entries;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unavailable(this.#name, this.path, error);
    }
    this.#deleted();
    this.open();
    return [];
  }

  #register(): void {
    makeDirectory(this.#name, this.#base, this.#isDefault);
    const users = join(this.path, 'users');
    makeDirectory(this.#name, users, false);
    const user = join(users, newMark(String(this.#limit)));
    let other: number | undefined;
    try {
      writeFileSync(user, '', { flag: 'wx', mode: 0o600 });
      // First the own mark, then the look at the others: of two that differ at least one sees the other.
      other = this.#otherLimit(users);
      if (other !== undefined) unlinkSync(user);
    } catch (error) {
      throw unavailable(this.#name, users, error);
    }
    if (other !== undefined) throw new SemaphoreLimitError(this.#name, this.#limit, other);
    this.#user = user;
    removeAtExit(user);
    this.#watcher = this.#watchUser(user);
  }

  #otherLimit(users: string): number | undefined {
    let other: number | undefined;
    for (const mark of readdirSync(users)) {
      const limit = Number(mark.split('.', 1)[0]);
      const state = markState(mark);
      if (state === 'alive' && limit !== this.#limit) other = limit;
      const path = join(users, mark);
      if (state === 'dead' || (state === 'unknown' && Date.now() - modified(path) > UNSEEN_USER_MS)) remove(path);
    }
    return other;
  }

  /** A holder would otherwise learn from the next refresh, seconds later, that its slot is gone. */
  #watchUser(user: string): FSWatcher | undefined {
    try {
      const watcher = watch(user, { persistent: false }, () => {
        if (modified(user) === 0) this.#deleted();
      });
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return undefined; // No watches left on this machine: the refresh will do.
    }
  }

  #deleted(): void {
    this.#settledAt = performance.now() + SETTLE_MS;
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#user = undefined;
    this.#onDeleted();
  }
}

function parseEntries(entries: readonly string[]): SlotListing {
  const busy = new Set<number>();
  const tickets: string[] = [];
  for (const entry of entries) {
    const slot = SLOT.exec(entry)?.[1];
    if (slot !== undefined) busy.add(Number(slot));
    else if (entry.startsWith('wait.')) tickets.push(entry);
  }
  tickets.sort();
  return { busy, tickets };
}

/** 0 if the file is gone: as old as can be. */
function modified(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EISDIR') rmdirSync(path);
  }
}
