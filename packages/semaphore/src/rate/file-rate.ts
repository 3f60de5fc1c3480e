import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SemaphoreLimitError, SemaphoreUnavailableError } from '../basics/errors.ts';
import { nameHash, unavailable } from '../basics/semaphore-directory.ts';
import { bootId } from '../basics/pid-namespace.ts';
import { lockfileSlots } from '../lockfile/multiprocess-semaphore.ts';
import { machineTime, rateConflict, RateLimit, type Rate, type RateRecord } from './rate-limit.ts';

/** A rate that all processes of the machine share which use the directory. */
export function fileRate(name: string, directory: string, rate: Rate): RateLimit {
  const gate = lockfileSlots({ name: `rate ${name}`, limit: 1, directory });
  const file = join(directory, `${nameHash(name).toString('hex', 0, 16)}.rate`);
  return new RateLimit(rate, gate, new FileRecord(name, file, rate));
}

// The file, in doubles: [0] magic  [1] limit  [2] interval in µs  [3] which boot  [4] next entry, then `limit` starts in µs
// on the machine's monotonic clock. Each start is one write of eight bytes, before the call is made; who is killed between
// that and the write of the next entry's number makes the next start late, never early. It outlives the processes: else
// one that is killed and started again would begin with a burst.
const MAGIC = 0x7b50_0a7e;
const HEADER = 5;
const OPEN_FLAGS = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);

class FileRecord implements RateRecord {
  readonly isForgettable = true;
  readonly #name: string;
  readonly #file: string;
  readonly #rate: Rate;

  constructor(name: string, file: string, rate: Rate) {
    this.#name = name;
    this.#file = file;
    this.#rate = rate;
  }

  begin(): void {
    this.#withFile((fd) => {
      const [index = 0] = readNumbers(fd, HEADER - 1, 1);
      const { limit } = this.#rate;
      writeNumbers(fd, HEADER + ((index + limit - 1) % limit), [machineTime()]);
      return 0;
    });
  }

  enter(): number {
    return this.#withFile((fd) => this.#enter(fd));
  }

  #withFile(use: (fd: number) => number): number {
    try {
      const fd = openSync(this.#file, OPEN_FLAGS, 0o600);
      try {
        return use(fd);
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw code === undefined || code.startsWith('ERR_') ? error : unavailable(this.#name, this.#file, error);
    }
  }

  #enter(fd: number): number {
    const { nlink, uid } = fstatSync(fd);
    if (nlink !== 1 || (process.getuid !== undefined && uid !== process.getuid())) {
      throw new SemaphoreUnavailableError(
        this.#name,
        `expected ${this.#file} to be a file of this user with one name, found another one. Remove it.`,
        { path: this.#file },
      );
    }
    const now = machineTime();
    const intervalUs = this.#rate.interval * 1e6;
    const index = this.#read(fd, now);
    const [oldest = 0] = readNumbers(fd, HEADER + index, 1);
    // A clock that runs ahead of ours (another time namespace) would make us wait for no one knows how long.
    if (oldest > now) writeNumbers(fd, HEADER + index, [now]);
    const due = oldest === 0 ? now : Math.min(oldest, now) + intervalUs;
    if (due > now) return (due - now) / 1e6;
    writeNumbers(fd, HEADER + index, [now]);
    writeNumbers(fd, HEADER - 1, [(index + 1) % this.#rate.limit]);
    return 0;
  }

  /** Which entry is the oldest. Makes the record anew if there is none that still counts. */
  #read(fd: number, now: number): number {
    const { limit, interval } = this.#rate;
    const [magic, knownLimit = 1, knownUs = 0, knownBoot, index = 0] = readNumbers(fd, 0, HEADER);
    if (magic === MAGIC && knownBoot === bootNumber()) {
      if (knownLimit === limit && knownUs === interval * 1e6) return index;
      const [newest = 0] = readNumbers(fd, HEADER + ((index + knownLimit - 1) % knownLimit), 1);
      if (Math.min(newest, now) + knownUs > now) {
        const problem = rateConflict(this.#name, this.#rate, { limit: knownLimit, interval: knownUs / 1e6 });
        throw new SemaphoreLimitError(this.#name, limit, knownLimit, problem);
      }
    }
    ftruncateSync(fd, 0);
    writeNumbers(fd, 0, [MAGIC, limit, interval * 1e6, bootNumber(), 0]);
    return 0;
  }
}

/** Twelve hex digits fit in a double. */
const bootNumber = (): number => (boot ??= Number.parseInt(bootId() || '0', 16));
let boot: number | undefined;

/** Zeros for what is behind the end. */
function readNumbers(fd: number, at: number, count: number): Float64Array {
  const numbers = new Float64Array(count);
  readSync(fd, new Uint8Array(numbers.buffer), 0, count * 8, at * 8);
  return numbers;
}

function writeNumbers(fd: number, at: number, values: readonly number[]): void {
  writeSync(fd, new Uint8Array(Float64Array.from(values).buffer), 0, values.length * 8, at * 8);
}
