import { closeSync, lstatSync, openSync, readdirSync, readlinkSync, rmdirSync, unlinkSync, utimesSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { atExit, keepAtExit, removeAtExit } from '../basics/exit-cleanup.ts';
import { markName, markState, newSession, parseMark } from '../basics/marks.ts';
import { ownStart } from '../basics/pid-namespace.ts';
import { makeDirectory, ownDirectory } from '../basics/semaphore-directory.ts';
import { selfIdentity } from '../basics/thread-identity.ts';

// Who has the memory shows so by a flag in a folder of this process, `<id of the memory>.<identity>.<session>`, and by
// keeping it open: what is open can be seen by every thread of the process, also after the folder was cleaned away.

// What a thread leaves when it is killed tells those that come later that there was a memory before theirs. A thread that
// ends by itself takes its flag along, unless there is something to be remembered: see `keepAtEnd`.

/** Cleaners of temporary folders go by age. */
const REFRESH_MS = 3_600_000;

/** The threads of this process that have the memory. */
export class SharedRegistry {
  readonly path: string;
  readonly #base: string;
  readonly #ending: string;
  #own: Membership | undefined;

  constructor() {
    // Not by the environment, which a worker may have another one of: all threads must look at the same place.
    this.#base = ownDirectory(process.platform === 'win32' ? tmpdir() : '/tmp');
    const { namespace, pid } = selfIdentity();
    // Numbers of namespaces are used again, and in each of them the first pids.
    this.#ending = `process-${namespace}-${ownStart()}-${pid}`;
    this.path = join(this.#base, this.#ending);
  }

  /** @throws {SemaphoreUnavailableError} the folder can't be made, or is not this user's */
  make(semaphore: string): void {
    makeDirectory(semaphore, this.#base, 'user');
    makeDirectory(semaphore, this.path, 'user');
  }

  /**
   * Shows that this thread has the memory of that id, if it is the only one that shows so.
   *
   * @returns `undefined`: there are others, or another one tries at the same moment; else whether threads that have ended
   * had a memory
   */
  enterAlone(id: string): { readonly isFirst: boolean } | undefined {
    // They go only once this thread is in: of two that try at the same moment both leave, and look again.
    const isFirst = this.#dead().length === 0;
    if (this.hasMembers()) return undefined;
    const entered = this.#enter(id);
    if (entered === undefined) return undefined;
    // Shown first, looked then: of two that do so at once at least one sees the other.
    if (!this.hasMembers(entered)) {
      this.#reap();
      removeOldRegistries(this.path);
      return { isFirst };
    }
    this.#leave(entered);
    return undefined;
  }

  /**
   * Shows that this thread has the memory of that id, too, if anyone still does: else somebody may have made a new one.
   */
  enterBeside(id: string): boolean {
    const entered = this.#enter(id);
    if (entered === undefined) return false;
    if (this.hasMembers(entered, id)) {
      this.#reap();
      return true;
    }
    this.#leave(entered);
    return false;
  }

  /** Leaves the flag behind when this thread ends, if there is something to be remembered then. */
  keepAtEnd(isRemembered: () => boolean): void {
    atExit(() => {
      if (this.#own !== undefined && isRemembered()) keepAtExit(this.#own.file);
    });
  }

  /** Whether another live thread has a memory, or that one. */
  hasMembers(own?: Membership, id?: string): boolean {
    const isOther = (name: string): boolean => {
      const mark = parseMark(name);
      return mark !== undefined && name !== own?.name && (id === undefined || mark.kind === id);
    };
    const listed = this.#list().filter((name) => isOther(name));
    if (listed.some((name) => isAlive(name))) return true;
    return this.#open().some((name) => isOther(name));
  }

  #enter(id: string): Membership | undefined {
    const name = markName(id, [], newSession());
    const file = join(this.path, name);
    try {
      const membership: Membership = { name, file, fd: openSync(file, 'wx', 0o600) };
      this.#own = membership;
      removeAtExit(file, this.path);
      membership.timer = setInterval(() => this.#refresh(membership), REFRESH_MS).unref();
      return membership;
    } catch (error) {
      // The last one that was in there has just removed the folder.
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  #leave({ file, fd, timer }: Membership): void {
    clearInterval(timer);
    this.#own = undefined;
    keepAtExit(file);
    closeSync(fd);
    remove(file);
  }

  #refresh({ file }: Membership): void {
    const now = new Date();
    try {
      for (const path of [file, this.path, this.#base]) utimesSync(path, now, now);
    } catch {
      // Cleaned away already: the open descriptor tells those who come.
    }
  }

  #reap(): void {
    for (const name of this.#dead()) remove(join(this.path, name));
  }

  /** Flags of threads that have ended. */
  #dead(): string[] {
    return this.#list().filter((name) => parseMark(name) !== undefined && !isAlive(name));
  }

  #list(): string[] {
    try {
      return readdirSync(this.path);
    } catch {
      return [];
    }
  }

  /** The flags that a thread of this process has open, wherever they were. */
  #open(): string[] {
    try {
      const found: string[] = [];
      for (const fd of readdirSync('/proc/self/fd')) {
        const [ending, name] = openFile(`/proc/self/fd/${fd}`).split('/').slice(-2);
        if (ending === this.#ending && name !== undefined) found.push(name.replace(/ \(deleted\)$/, ''));
      }
      return found;
    } catch {
      return []; // No /proc: the flags must do.
    }
  }
}

interface Membership {
  readonly name: string;
  readonly file: string;
  readonly fd: number;
  timer?: NodeJS.Timeout;
}

function isAlive(name: string): boolean {
  const mark = parseMark(name);
  return mark !== undefined && markState(mark) !== 'dead';
}

function openFile(link: string): string {
  try {
    return readlinkSync(link);
  } catch {
    return ''; // The descriptor of the listing itself, closed by now.
  }
}

function remove(file: string): void {
  try {
    unlinkSync(file);
  } catch {
    // Gone already.
  }
}

/** Folders of processes that were killed. Of these only what is ours by its form, and of nobody who lives. */
function removeOldRegistries(own: string): void {
  const base = dirname(own);
  for (const folder of readdirSync(base)) {
    const path = join(base, folder);
    if (!/^process-[0-9-]*-[0-9]*-[0-9]+$/.test(folder) || path === own) continue;
    try {
      if (!lstatSync(path).isDirectory()) continue;
      for (const name of readdirSync(path)) {
        const mark = parseMark(name);
        if (mark !== undefined && markState(mark) === 'dead') unlinkSync(join(path, name));
      }
      rmdirSync(path);
    } catch {
      // In use, or someone else removes it.
    }
  }
}
