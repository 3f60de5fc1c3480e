import { readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { Recent } from '../basics/recent.ts';
import { lockfileSlots } from '../lockfile/multiprocess-semaphore.ts';
import { gateName, nameOfPast, rateFileForm, rateFileName } from './rate-file.ts';

/** New rates between two listings of their directory. */
const BETWEEN = 64;
/** Files that are looked at for each new rate: more than one, so that they get fewer. */
const LOOKS = 2;

/**
 * Tidies up a directory of rates, a little with each rate that this thread begins to use there: files that tell nothing
 * any more are removed, whoever made them. Only such of our form, of this user, and with their gate in hand, so that nobody
 * uses them meanwhile.
 */
class RateSweep {
  readonly isIdle = true;
  readonly #directory: string;
  #files: string[] = [];
  #rates = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async sweep(): Promise<void> {
    try {
      if (this.#rates++ % BETWEEN === 0) {
        this.#files = readdirSync(this.#directory).filter((name) => rateFileForm.test(name));
      }
      for (const file of this.#files.splice(-LOOKS)) await this.#removeIfPast(file);
    } catch {
      // Not there yet, gone, in use, or another process was quicker. It is only tidying up.
    }
  }

  async #removeIfPast(file: string): Promise<void> {
    const path = join(this.#directory, file);
    const name = nameOfPast(path);
    // Whose name does not belong to the file has another gate.
    if (name === undefined || rateFileName(name) !== file) return;
    const gate = lockfileSlots({ name: gateName(name), limit: 1, directory: this.#directory });
    const lease = await gate.tryAcquire();
    if (lease === null) return;
    try {
      if (nameOfPast(path) === name) unlinkSync(path);
    } finally {
      await lease.release();
    }
  }
}

const sweeps = new Recent<RateSweep>();

/** To be called for each rate that this thread begins to use. */
export function sweepRates(directory: string): void {
  void sweeps.get(directory, () => new RateSweep(directory)).sweep();
}
