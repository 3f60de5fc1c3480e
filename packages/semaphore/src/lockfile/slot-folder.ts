import {
  chmodSync,
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  rmdirSync,
  statSync,
  unlinkSync,
  utimesSync,
  watch,
  writeFileSync,
  writeSync,
  type FSWatcher,
} from 'node:fs';
import { join } from 'node:path';
import { isSemaphoreUnavailableError, SemaphoreLimitError } from '../basics/errors.ts';
import { keepAtExit, removeAtExit } from '../basics/exit-cleanup.ts';
import { onHeartbeat } from '../basics/heartbeat.ts';
import { markName, markState, newSession, parseMark, type Mark } from '../basics/marks.ts';
import type { FlagPlace } from '../basics/run-steps.ts';
import {
  fileMode,
  makeDirectory,
  semaphoreDirectory,
  unavailable,
  type Sharing,
} from '../basics/semaphore-directory.ts';
import { staleWatch } from '../basics/stale-watch.ts';

/** What is in the folder at one moment. */
export interface SlotListing {
  /** Flags of slots: of those who hold them, or try for them. */
  readonly flags: readonly Mark[];
  /** Tickets of waiting calls, first come first. */
  readonly tickets: readonly Mark[];
  /** Threads that use the semaphore, by owner. */
  readonly users: ReadonlyMap<string, Mark>;
}

/** Where a semaphore's slots are, and for whom. */
export interface SlotPlace {
  readonly name: string;
  readonly limit: number;
  readonly directory: string;
  readonly shared: Sharing;
}

/** How often the folder may be deleted while it is being made. */
const OPEN_TRIES = 10;
/** After the folder was deleted under way: how long its holders, told by their watches, have to stop. */
const SETTLE_MS = 250;

/**
 * The folder of one semaphore. Its files are marks (see marks.ts):
 *
 * - `slot.<i>.<since>.<try>` a flag: the thread that owns the slot, or tries for it
 * - `wait.<arrival>.<permits>.<since>` the ticket of a call that waits
 * - `user.<limit>` a thread that uses the semaphore, and with which limit. Whoever writes to it wakes the thread; the
 *   thread itself changes its access time as a sign of life, for those that can't see it otherwise
 *
 * Moments are ms since 1970, to be shown only; arrivals are µs of the machine's monotonic clock.
 */
export class SlotFolder {
  readonly path: string;
  readonly #place: SlotPlace;
  readonly #onWake: () => void;
  readonly #onDeleted: () => void;
  readonly #onBeat: () => void;
  /** This use of the folder; set while the thread's own mark is in there. */
  #session: string | undefined;
  #user = '';
  #count = 0;
  #settledAt = 0;
  #beatAt = 0;
  #watcher: FSWatcher | undefined;
  #endBeats: (() => void) | undefined;

  /**
   * @param on what to call when someone wakes this thread; when someone has deleted the folder under way, with slots lost
   * perhaps; and every few seconds
   */
  constructor(place: SlotPlace, on: { woken: () => void; deleted: () => void; beat: () => void }) {
    this.#place = place;
    this.path = semaphoreDirectory(place.directory, place.name);
    this.#onWake = on.woken;
    this.#onDeleted = on.deleted;
    this.#onBeat = on.beat;
  }

  get isOpen(): boolean {
    return this.#session !== undefined;
  }

  /**
   * Makes the folder, and registers this thread with its limit. Does nothing if that is done.
   *
   * @throws {SemaphoreUnavailableError} no permission, no space
   * @throws {SemaphoreLimitError} a live thread uses another limit
   */
  open(): void {
    for (let tries = 0; this.#session === undefined; tries++) {
      try {
        this.#register();
      } catch (error) {
        // Gone between two steps: someone deletes it under way, or it can't be made at all.
        if (!isSemaphoreUnavailableError(error) || tries === OPEN_TRIES) throw error;
        if ((error.cause as NodeJS.ErrnoException | undefined)?.code !== 'ENOENT') throw error;
      }
    }
  }

  /** Takes this thread's mark out, and the folder if nothing else is in it. Only while it holds nothing, nor waits. */
  close(): void {
    if (this.#session === undefined) return;
    const file = join(this.path, this.#user);
    this.#forget();
    remove(file);
    try {
      rmdirSync(this.path);
    } catch {
      // Others use it.
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

  /** The name of a mark that this thread is about to make. @param count as of another one of the same call */
  mark(kind: string, numbers: readonly (number | string)[], count: number = this.nextCount()): string {
    return markName(kind, numbers, this.#session ?? '', count);
  }

  nextCount(): number {
    return this.#count++;
  }

  isOwn(mark: Mark): boolean {
    return mark.owner === this.#session;
  }

  /** @throws {SemaphoreUnavailableError} the folder can't be read, nor made again */
  list(): SlotListing {
    try {
      const entries = readdirSync(this.path);
      // The folder may be another one by now, which someone has made anew.
      if (this.#session === undefined || entries.includes(this.#user)) return parseEntries(entries);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unavailable(this.#place.name, this.path, error);
    }
    if (this.#session !== undefined) this.#deleted();
    this.open();
    return parseEntries([]);
  }

  /** The same for someone who only looks: needs not use the semaphore, nor know its limit. */
  listIfAny(): SlotListing {
    try {
      return parseEntries(readdirSync(this.path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return parseEntries([]);
      throw unavailable(this.#place.name, this.path, error);
    }
  }

  /** Whether the thread that made a mark has ended, for all that can be known. */
  isDead(mark: Mark, { users }: SlotListing): boolean {
    if (this.isOwn(mark)) return false;
    const state = markState(mark);
    if (state !== 'unknown') return state === 'dead';
    return staleWatch.isStale(`${this.path} ${mark.owner}`, this.sign(mark, users));
  }

  /** What a mark's owner changes as a sign of life. */
  sign(mark: Mark, users: ReadonlyMap<string, Mark>): number {
    const user = users.get(mark.owner);
    const stat = user && statSync(join(this.path, user.name), { throwIfNoEntry: false });
    return stat?.atimeMs ?? 0;
  }

  remove(mark: Mark): void {
    remove(join(this.path, mark.name));
  }

  /** Wakes the thread that made a mark. */
  wake(mark: Mark, { users }: SlotListing): void {
    const user = users.get(mark.owner);
    if (user !== undefined) writeByte(join(this.path, user.name));
  }

  /** A sign of life, if the last one was not just now. */
  beat(): void {
    if (this.#session === undefined || performance.now() - this.#beatAt < 1000) return;
    this.#beatAt = performance.now();
    const file = join(this.path, this.#user);
    try {
      // Nothing but the access time: what others write tells nothing about this thread.
      utimesSync(file, new Date(), statSync(file).mtime);
    } catch {
      this.#deleted();
    }
  }

  #register(): void {
    const { name, limit, directory, shared } = this.#place;
    makeDirectory(name, directory, shared);
    makeDirectory(name, this.path, shared, true);
    const session = newSession();
    const user = markName('user', [limit], session);
    const file = join(this.path, user);
    let other: number | undefined;
    try {
      writeFileSync(file, '', { flag: 'wx', mode: 0o600 });
      if (shared !== 'user') chmodSync(file, fileMode(shared));
      // First the own mark, then the look at the others: of two that differ at least one sees the other.
      other = this.#otherLimit(session);
      if (other !== undefined) unlinkSync(file);
    } catch (error) {
      throw unavailable(name, this.path, error);
    }
    if (other !== undefined) throw new SemaphoreLimitError(name, limit, other);
    this.#session = session;
    this.#user = user;
    this.#beatAt = performance.now();
    removeAtExit(file, this.path);
    this.#watcher = this.#watch(file);
    this.#endBeats = onHeartbeat(() => {
      this.beat();
      if (this.#session !== undefined) this.#onBeat();
    });
  }

  #otherLimit(own: string): number | undefined {
    let other: number | undefined;
    const listing = this.listIfAny();
    for (const mark of listing.users.values()) {
      if (mark.owner === own) continue;
      if (this.isDead(mark, listing)) this.remove(mark);
      else if (mark.numbers[0] !== this.#place.limit) other = mark.numbers[0];
    }
    return other;
  }

  /** By it others wake this thread; and a holder would learn only seconds later that its folder is gone. */
  #watch(file: string): FSWatcher | undefined {
    try {
      const watcher = watch(file, { persistent: false }, (event) => {
        if (event === 'rename' && statSync(file, { throwIfNoEntry: false }) === undefined) this.#deleted();
        else this.#onWake();
      });
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return undefined; // No watches left on this machine: the looks will do.
    }
  }

  #deleted(): void {
    if (this.#session === undefined) return;
    this.#settledAt = performance.now() + SETTLE_MS;
    this.#forget();
    this.#onDeleted();
  }

  #forget(): void {
    keepAtExit(join(this.path, this.#user));
    this.#watcher?.close();
    this.#watcher = undefined;
    this.#endBeats?.();
    this.#session = undefined;
  }
}

function parseEntries(entries: readonly string[]): SlotListing {
  const flags: Mark[] = [];
  const tickets: Mark[] = [];
  const users = new Map<string, Mark>();
  for (const entry of entries) {
    const mark = parseMark(entry);
    if (mark === undefined) continue;
    if (mark.kind === 'slot') flags.push(mark);
    else if (mark.kind === 'wait') tickets.push(mark);
    else if (mark.kind === 'user') users.set(mark.owner, mark);
  }
  // Arrivals are of one length.
  tickets.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { flags, tickets, users };
}

/** A link or a pipe that someone has put there is not followed, nor waited for. */
const WAKE_FLAGS = constants.O_WRONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);

function writeByte(path: string): void {
  try {
    const fd = openSync(path, WAKE_FLAGS);
    try {
      const { nlink, size } = fstatSync(fd);
      // A mark has one name, and nothing but the wakes in it.
      if (nlink === 1 && size <= 1) writeSync(fd, '.', 0);
    } finally {
      closeSync(fd);
    }
  } catch {
    // Only a courtesy: whoever waits looks by itself.
  }
}

function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // Someone was quicker, or may not.
  }
}
