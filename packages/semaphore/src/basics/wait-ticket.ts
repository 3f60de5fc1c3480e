import { renameSync, statSync, unlinkSync, utimesSync, watch, writeFileSync, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { keepAtExit, removeAtExit } from './exit-cleanup.ts';
import { newMark } from './marks.ts';

/** How often a waiter shows those that can't see its thread that it is still there. */
const HEARTBEAT_MS = 5000;

/** Moments that all processes of the machine agree on, in µs. */
export function arrivalTime(): number {
  return Math.floor(Number(process.hrtime.bigint()) / 1000);
}

/**
 * The place of this thread in the line for one semaphore: a file that sorts by its arrival. Whoever frees a slot touches
 * the first ticket, and only its owner wakes; watching the slots themselves would wake everyone for each slot.
 */
export class WaitTicket {
  readonly #folder: string;
  readonly #onChange: (touched: boolean) => void;
  #name: string | undefined;
  #watcher: FSWatcher | undefined;
  #heartbeat = 0;

  /** @param onChange called when someone touches the ticket (`true`), or when it moves or goes */
  constructor(folder: string, onChange: (touched: boolean) => void) {
    this.#folder = folder;
    this.#onChange = onChange;
  }

  /** Its file name, while it is in the line. */
  get name(): string | undefined {
    return this.#name;
  }

  /** Enters the line, or moves to another place in it. @returns false: the folder is gone */
  place(arrival: number): boolean {
    const prefix = `wait.${String(arrival).padStart(17, '0')}`;
    if (this.#name?.startsWith(`${prefix}.`) === true) {
      this.#beat();
      return true;
    }
    const name = newMark(prefix);
    const path = join(this.#folder, name);
    if (this.#name !== undefined && this.#move(path)) {
      this.#name = name;
      return true;
    }
    this.remove();
    try {
      writeFileSync(path, '', { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
    this.#name = name;
    this.#heartbeat = performance.now();
    removeAtExit(path);
    try {
      this.#watcher = watch(path, (event) => this.#onChange(event === 'change'));
      this.#watcher.on('error', () => this.#watcher?.close());
    } catch {
      // No watches left on this machine: the ticks of the waiting loop will do.
    }
    return true;
  }

  /** Leaves the line. */
  remove(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
    if (this.#name === undefined) return;
    const path = join(this.#folder, this.#name);
    this.#name = undefined;
    keepAtExit(path);
    try {
      unlinkSync(path);
    } catch {
      // Someone deleted it.
    }
  }

  // The watch follows the file to its new name.
  #move(to: string): boolean {
    const from = join(this.#folder, this.#name ?? '');
    try {
      renameSync(from, to);
    } catch {
      return false;
    }
    keepAtExit(from);
    removeAtExit(to);
    return true;
  }

  #beat(): void {
    if (performance.now() - this.#heartbeat < HEARTBEAT_MS) return;
    this.#heartbeat = performance.now();
    try {
      utimesSync(join(this.#folder, this.#name ?? ''), new Date(), new Date());
    } catch {
      this.remove(); // Someone deleted it: the next call makes a new one.
    }
  }
}

/** Wakes the thread that waits with this ticket. @returns whether the ticket was there */
export function touchTicket(path: string): boolean {
  try {
    // The modification time is the waiter's own sign of life.
    utimesSync(path, new Date(), statSync(path).mtime);
    return true;
  } catch {
    return false;
  }
}
