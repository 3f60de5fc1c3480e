import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { SemaphoreLimitError, SemaphoreUnavailableError } from '../basics/errors.ts';
import { bootId } from '../basics/pid-namespace.ts';
import { nameHash, unavailable } from '../basics/semaphore-directory.ts';
import { machineTime } from '../basics/machine-time.ts';
import { rateConflict, type Rate, type RateRecord } from './rate-limit.ts';

// The file, in doubles: [0] magic  [1] limit  [2] interval in µs  [3] which boot  [4] next entry, then `limit` starts in µs
// on the machine's monotonic clock, then the name in UTF-8, filled up with zeros. Each start is one write of eight bytes, before the call is
// made; who is killed between that and the write of the next entry's number makes the next start late, never early. It
// outlives the processes: else one that is killed and started again would begin with a burst. When it tells nothing any
// more it may go (rate-sweep.ts). Whoever uses it, or removes it, holds the gate of its name.
const MAGIC = 0x7b50_0a7e;
const HEADER = 5;
const OPEN_FLAGS = constants.O_RDWR | (constants.O_NOFOLLOW ?? 0);
/** A longer name is not written down; its file stays. */
const LONGEST_NAME = 4096;

/** Names of the files; nothing else is ever removed. */
export const rateFileForm: RegExp = /^[0-9a-f]{32}\.rate$/;

export function rateFileName(name: string): string {
  return `${nameHash(name).toString('hex', 0, 16)}.rate`;
}

/** Of whom the gate is: slots with a limit of 1. */
export const gateName = (name: string): string => `rate ${name}`;

/** The starts of a rate, in a file. */
export class RateFile implements RateRecord {
  readonly isForgettable = true;
  readonly #name: string;
  readonly #path: string;
  readonly #rate: Rate;

  constructor(name: string, directory: string, rate: Rate) {
    this.#name = name;
    this.#path = join(directory, rateFileName(name));
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
      const fd = openSync(this.#path, OPEN_FLAGS | constants.O_CREAT, 0o600);
      try {
        return use(fd);
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw code === undefined || code.startsWith('ERR_') ? error : unavailable(this.#name, this.#path, error);
    }
  }

  #enter(fd: number): number {
    if (!isOwn(fd)) {
      throw new SemaphoreUnavailableError(
        this.#name,
        `expected ${this.#path} to be a file of this user with one name, found another one. Remove it.`,
        { path: this.#path },
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
    const name = Buffer.from(this.#name);
    const filled = Buffer.concat([name, Buffer.alloc(8 - (name.length % 8))]);
    if (filled.length <= LONGEST_NAME) writeSync(fd, filled, 0, filled.length, (HEADER + limit) * 8);
    writeNumbers(fd, 0, [MAGIC, limit, interval * 1e6, bootNumber(), 0]);
    return 0;
  }
}

/**
 * The name of a record that tells nothing any more: all its starts are longer ago than its interval, or from before the
 * machine was started.
 *
 * @returns undefined for a record that still counts, and for what is none of ours
 */
export function nameOfPast(path: string): string | undefined {
  const fd = openSync(path, OPEN_FLAGS | (constants.O_NONBLOCK ?? 0));
  try {
    if (!fstatSync(fd).isFile() || !isOwn(fd)) return undefined;
    const [magic, limit = 0, intervalUs = 0, boot, index = 0] = readNumbers(fd, 0, HEADER);
    if (magic !== MAGIC || !Number.isSafeInteger(limit) || limit < 1) return undefined;
    // The one behind the last is what a process was killed over that had not counted on yet.
    const last = [(index + limit - 1) % limit, index].map((entry) => readNumbers(fd, HEADER + entry, 1)[0] ?? 0);
    const now = machineTime();
    if (boot === bootNumber() && Math.min(now, Math.max(...last)) + intervalUs > now) return undefined;
    const filled = Buffer.alloc(LONGEST_NAME);
    readSync(fd, filled, 0, filled.length, (HEADER + limit) * 8);
    const end = filled.indexOf(0);
    return end > 0 ? filled.toString('utf8', 0, end) : undefined;
  } finally {
    closeSync(fd);
  }
}

function isOwn(fd: number): boolean {
  const { nlink, uid } = fstatSync(fd);
  return nlink === 1 && (process.getuid === undefined || uid === process.getuid());
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
