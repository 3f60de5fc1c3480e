import { accessSync, utimesSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { LockOptions } from 'proper-lockfile';
import { runSteps, type FlagPlace } from '../basics/run-steps.ts';
import { claim, release } from '../basics/slot-steps.ts';

// proper-lockfile keeps the locks: it refreshes their times, notices lost ones, and frees them when the process exits
// or is ended by a signal. What it does not do safely is to take over a stale lock; so it never sees a stale one, and
// its `mkdir` and `rmdir` are ours: they put up and take down a flag (see slot-steps.ts).

interface Pin {
  readonly place: FlagPlace;
  readonly flag: string;
  isHeld: boolean;
  /** The time that proper-lockfile set last. */
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
  /** By the path that proper-lockfile knows the lock by; there is no such file. */
  readonly #pins = new Map<string, Pin>();
  // One object for all locks: proper-lockfile stores the precision of file times in it.
  readonly #fs: object;

  constructor(lock: Lock) {
    this.#lock = lock;
    this.#fs = flagFs(this.#pins);
  }

  /**
   * Tries once to take a slot.
   *
   * @param flag a name that begins with the slot's prefix
   * @param onLost called if the slot is gone although nobody here released it
   * @returns whether it is ours now
   * @throws errors of the file system that are not about others having the slot
   */
  async take(place: FlagPlace, flag: string, onLost: (error: Error) => void): Promise<boolean> {
    const key = keyOf(place);
    if (this.#pins.has(key)) return false;
    const pin: Pin = { place, flag, isHeld: false, mtime: new Date(), free: undefined };
    this.#pins.set(key, pin);
    try {
      pin.free = await this.#lock(key, {
        lockfilePath: key,
        fs: this.#fs,
        realpath: false,
        retries: 0,
        stale: STALE_MS,
        update: UPDATE_MS,
        // The default throws from a timer, which ends the process.
        onCompromised: (error) => {
          this.#pins.delete(key);
          onLost(error);
        },
      });
      return true;
    } catch (error) {
      this.#pins.delete(key);
      if ((error as NodeJS.ErrnoException).code === 'ELOCKED') return false;
      throw error;
    }
  }

  /** Whether the slot is still ours; anyone may have deleted its flag. */
  isHeld(place: FlagPlace): boolean {
    const pin = this.#pins.get(keyOf(place));
    return pin !== undefined && isPresent(pin);
  }

  /** Gives a slot back. Done before it returns; the promise only follows proper-lockfile's. Never rejects. */
  async free(place: FlagPlace): Promise<void> {
    try {
      await this.#pins.get(keyOf(place))?.free?.();
    } catch {
      // ERELEASED: lost before; the lease's signal has told.
    }
  }
}

const keyOf = ({ folder, prefix }: FlagPlace): string => join(folder, prefix);

function isPresent({ place, flag }: Pin): boolean {
  try {
    accessSync(join(place.folder, flag));
    return true;
  } catch {
    return false;
  }
}

function failure(code: string, path: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`${code}: ${dirname(path)}`), { code, path });
}

/** The calls that proper-lockfile makes, each done before it returns: no release can fall into a half-done refresh. */
function flagFs(pins: Map<string, Pin>): object {
  const unpin = (key: string): void => {
    const pin = pins.get(key);
    if (pin?.isHeld !== true) return;
    // At once: the thread's next caller may ask for the slot before proper-lockfile's promise settles.
    pins.delete(key);
    runSteps(pin.place, release(pin.flag));
  };
  return {
    mkdir: (key: string, done: Done) => {
      const pin = pins.get(key);
      if (pin === undefined) return done(failure('EEXIST', key));
      const outcome = runSteps(pin.place, claim(pin.flag));
      if (outcome !== 'held') return done(failure(outcome === 'busy' ? 'EEXIST' : outcome.code, key));
      pin.isHeld = true;
      return done(null);
    },
    stat: (key: string, done: Done<{ mtime: Date }>) => {
      const pin = pins.get(key);
      // Of a slot that others hold it wants to know whether it is stale: never.
      if (pin?.isHeld !== true) return done(null, { mtime: new Date() });
      // Asked first right after the claim, then at each refresh.
      if (pin.free !== undefined && !isPresent(pin)) return done(failure('ENOENT', key));
      return done(null, { mtime: pin.mtime });
    },
    utimes: (key: string, atime: Date, mtime: Date, done: Done) => {
      const pin = pins.get(key);
      if (pin === undefined) return done(failure('ENOENT', key));
      try {
        utimesSync(join(pin.place.folder, pin.flag), atime, mtime);
      } catch (error) {
        return done(error as NodeJS.ErrnoException);
      }
      pin.mtime = mtime;
      return done(null);
    },
    rmdir: (key: string, done: Done) => {
      unpin(key);
      done(null);
    },
    rmdirSync: unpin,
  };
}
