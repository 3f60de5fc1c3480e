import { accessSync } from 'node:fs';
import { join } from 'node:path';
import { keepAtExit, removeAtExit } from '../basics/exit-cleanup.ts';
import { runSteps } from '../basics/run-steps.ts';
import { claim, release } from '../basics/slot-steps.ts';
import type { SlotFolder } from './slot-folder.ts';

/** Slots that one call has got: one, all that it wants, or some of them so far. */
export class HeldFlags {
  readonly #folder: SlotFolder;
  /** By slot. */
  readonly #flags = new Map<number, string>();
  readonly #count: number;

  /** @param count which of the thread's calls it is, as its ticket says, too */
  constructor(folder: SlotFolder, count: number) {
    this.#folder = folder;
    this.#count = count;
  }

  get size(): number {
    return this.#flags.size;
  }

  has(slot: number): boolean {
    return this.#flags.has(slot);
  }

  /**
   * Tries once to take a slot.
   *
   * @returns `busy`: someone has it, or tries as well
   * @throws errors of the file system that are not about others
   */
  take(slot: number, since: number): 'held' | 'busy' {
    const flag = this.#folder.mark('slot', [slot, since, this.#folder.nextCount()], this.#count);
    const outcome = runSteps(this.#folder.place(slot), claim(flag));
    // The folder went away under way: the next listing makes it again.
    if (typeof outcome !== 'string' && outcome.code === 'ENOENT') return 'busy';
    if (typeof outcome !== 'string') {
      throw Object.assign(new Error(`${outcome.code}: ${this.#folder.path}`), outcome);
    }
    if (outcome === 'held') {
      this.#flags.set(slot, flag);
      removeAtExit(join(this.#folder.path, flag));
    }
    return outcome;
  }

  /** Gives all of them back. */
  free(): void {
    for (const [slot, flag] of this.#flags) {
      keepAtExit(join(this.#folder.path, flag));
      runSteps(this.#folder.place(slot), release(flag));
    }
    this.#flags.clear();
  }

  /** A flag that someone has deleted; `undefined` if all are there. */
  missing(): string | undefined {
    for (const flag of this.#flags.values()) {
      const path = join(this.#folder.path, flag);
      try {
        accessSync(path);
      } catch {
        return path;
      }
    }
    return undefined;
  }
}
