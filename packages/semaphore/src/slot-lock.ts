import { accessSync, utimesSync } from 'node:fs';
import type { LockOptions } from 'proper-lockfile';
import { claim, release } from './pinned-directory.ts';
import { runSteps } from './run-steps.ts';

// proper-lockfile keeps the locks: it refreshes their times, notices lost ones, and frees them when the process exits
// or is ended by a signal. What it does not do safely is to take over a stale lock; so it never sees a stale one, and
// its `mkdir` and `rmdir` are ours, which pin the directory with a flag (see pinned-directory.ts).

interface Pin {
  readonly flag: string;
  held: boolean;
  /** The modification time that proper-lockfile knows; our flags change the real one. */
  mtime: Date;
  free: (() => Promise<void>) | undefined;
}

type Lock = (file: string, options: LockOptions) => Promise<() => Promise<void>>;
type Done<Value = void> = (error: NodeJS.ErrnoException | null, value?: Value) => void;

/** Only tells owners apart that can't be seen from here; a live owner never loses its slot over it. */
const STALE_MS = 10_000;
const UPDATE_MS = 5000;

let loading: Promise<SlotLocks> | undefined;

/** Loaded on first use: importing proper-lockfile installs signal handlers. */
export function loadSlotLocks(): Promise<SlotLocks> {
  loading ??= import('proper-lockfile').then((module) => new SlotLocks(module.default.lock));
  return loading;
}

/** The slots that this thread holds in lock files. */
export class SlotLocks {
  readonly #lock: Lock;
  readonly #pins = new Map<string, Pin>();
  // One object for all locks: proper-lockfile stores the precision of file times in it.
  readonly #fs: object;

  constructor(lock: Lock) {
    this.#lock = lock;
    this.#fs = pinnedFs(this.#pins);
  }

  /**
   * Tries once to take a slot.
   *
   * @param path without the `.lock` that the directory's name ends with
   * @param onLost called if the slot is gone although nobody here released it
   * @returns whether it is ours now
   * @throws errors of the file system that are not about others having the slot
   */
  async take(path: string, flag: string, onLost: (error: Error) => void): Promise<boolean> {
    const directory = `${path}.lock`;
    if (this.#pins.has(directory)) return false;
    const pin: Pin = { flag, held: false, mtime: new Date(), free: undefined };
    this.#pins.set(directory, pin);
    try {
      pin.free = await this.#lock(path, {
        fs: this.#fs,
        realpath: false,
        retries: 0,
        stale: STALE_MS,
        update: UPDATE_MS,
        // The default throws from a timer, which ends the process.
        onCompromised: (error) => {
          this.#pins.delete(directory);
          onLost(error);
        },
      });
      return true;
    } catch (error) {
      this.#pins.delete(directory);
      if ((error as NodeJS.ErrnoException).code === 'ELOCKED') return false;
      throw error;
    }
  }

  /** Whether the slot is still ours; anyone may have deleted its files. */
  isHeld(path: string): boolean {
    const directory = `${path}.lock`;
    const pin = this.#pins.get(directory);
    return pin !== undefined && isPresent(`${directory}/${pin.flag}`);
  }

  /** Gives a slot back. Done before it returns; the promise only follows proper-lockfile's. Never rejects. */
  async free(path: string): Promise<void> {
    const directory = `${path}.lock`;
    const pin = this.#pins.get(directory);
    try {
      await pin?.free?.();
    } catch {
      // ERELEASED: lost before; the lease's signal has told.
    }
  }
}

function isPresent(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}

function failure(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${path}`), { code, path });
}

/** The calls that proper-lockfile makes, each done before it returns: no release can fall into a half-done refresh. */
function pinnedFs(pins: Map<string, Pin>): object {
  const unpin = (path: string): void => {
    const pin = pins.get(path);
    if (pin?.held !== true) return;
    // At once: the thread's next caller may ask for the slot before proper-lockfile's promise settles.
    pins.delete(path);
    runSteps(path, release(pin.flag));
  };
  return {
    mkdir: (path: string, done: Done) => {
      const pin = pins.get(path);
      if (pin === undefined) return done(failure('EEXIST', path));
      const outcome = runSteps(path, claim(pin.flag));
      if (outcome === 'held') {
        pin.held = true;
        return done(null);
      }
      return done(failure(outcome === 'busy' ? 'EEXIST' : outcome.code, path));
    },
    stat: (path: string, done: Done<{ mtime: Date }>) => {
      const pin = pins.get(path);
      // Of a slot that others hold it wants to know whether it is stale: never.
      if (pin?.held !== true) return done(null, { mtime: new Date() });
      // Asked first right after the claim, then at each refresh.
      if (pin.free !== undefined && !isPresent(`${path}/${pin.flag}`)) return done(failure('ENOENT', path));
      return done(null, { mtime: pin.mtime });
    },
    utimes: (path: string, atime: Date, mtime: Date, done: Done) => {
      try {
        utimesSync(path, atime, mtime);
      } catch (error) {
        return done(error as NodeJS.ErrnoException);
      }
      const pin = pins.get(path);
      if (pin !== undefined) pin.mtime = mtime;
      return done(null);
    },
    rmdir: (path: string, done: Done) => {
      unpin(path);
      done(null);
    },
    rmdirSync: unpin,
  };
}
