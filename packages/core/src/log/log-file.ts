import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { monotonic } from '../basics/node-clock.ts';
import { startTimer } from '../basics/timer.ts';

const { O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } = fs.constants;
/** Others have no business with what is in the payloads. */
const ownerOnly = 0o600;
/** Seconds after which an open file is let go: one that was moved away is somebody else's. */
const life = 1;
/** How often lines are written anew because the file they went to was deleted meanwhile. */
const mostRewrites = 10;

/** Mode bit of a file that a compaction has replaced: what is written to it from then on, nobody reads. */
export const replaced = 0o1000;

/** Some of a text is in the file, and the rest could not be written. */
export class PartialWriteError extends Error {
  /** Bytes that are in the file. */
  readonly written: number;

  constructor(cause: Error, written: number) {
    super(cause.message, { cause });
    this.written = written;
  }
}

/**
 * The file of a log, to append to. Many may append to one file: threads, processes.
 *
 * It is opened when something is to be written, made if it is not there, and let go after a second. Writing is
 * synchronous: the system takes a few microseconds for a line, and a trip to the thread pool takes more.
 */
export class LogFile {
  readonly path: string;
  readonly #durable: boolean;
  #fd: number | null = null;
  #syncing = false;
  #expired = false;
  #openedAt = 0;

  /** @param durable the file's entry in its folder must survive a loss of power */
  constructor(path: string, durable: boolean) {
    this.path = path;
    this.#durable = durable;
  }

  /**
   * Hands a text to the system, as one write wherever the system takes it as one.
   *
   * A file that is deleted, or replaced by a compaction, before the write is over would take the lines along: they are
   * written again, to the one that has its place. One that is moved away keeps what is in it.
   * @throws PartialWriteError
   */
  append(text: string): void {
    // The timer may not have had its turn for long.
    if (this.#expired || monotonic() - this.#openedAt > life * 1000) this.close();
    for (let tries = 1; ; tries += 1) {
      const fd = this.#opened();
      const { written, error } = write(fd, text);
      const gone = isGone(fd);
      if (error === null && !gone) return;
      this.close();
      if (error !== null) throw new PartialWriteError(error, gone ? 0 : written);
      if (tries === mostRewrites)
        throw new PartialWriteError(new Error('it is deleted as often as it is written to'), 0);
    }
  }

  /** Calls back when all that was appended so far is on the disk, or could not be brought there. */
  sync(done: (error: Error | null) => void): void {
    if (this.#fd === null) {
      done(null);
      return;
    }
    this.#syncing = true;
    fs.fdatasync(this.#fd, (error) => {
      this.#syncing = false;
      if (this.#expired || error !== null) this.close();
      done(isUnsyncable(error) ? null : error);
    });
  }

  /** The same at once, for a thread that ends. */
  syncNow(): void {
    if (this.#fd !== null) fs.fdatasyncSync(this.#fd);
  }

  close(): void {
    const fd = this.#fd;
    this.#fd = null;
    this.#expired = false;
    if (fd !== null) fs.closeSync(fd);
  }

  #opened(): number {
    if (this.#fd !== null) return this.#fd;
    let fd: number;
    try {
      fd = openLog(this.path, this.#durable);
    } catch (error) {
      throw new PartialWriteError(error as Error, 0);
    }
    this.#fd = fd;
    this.#openedAt = monotonic();
    startTimer(life, () => this.#expire(fd), false);
    return fd;
  }

  #expire(fd: number): void {
    if (this.#fd !== fd) return;
    if (this.#syncing) this.#expired = true;
    else this.close();
  }
}

/** Opens a log to append to it; makes it, and the folders above it, if they are missing. */
export function openLog(path: string, durable: boolean): number {
  // A pipe that nobody reads would hold the thread for ever.
  const flags = O_APPEND | O_WRONLY | O_NONBLOCK;
  let fd: number;
  try {
    fd = fs.openSync(path, flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    makeFolders(dirname(path), durable);
    fd = fs.openSync(path, flags | O_CREAT, ownerOnly);
    if (durable) syncFolder(dirname(path));
  }
  const state = fs.fstatSync(fd);
  // Devices are written to as files are: /dev/null, /dev/stderr.
  if (state.isFile() || state.isCharacterDevice()) return fd;
  fs.closeSync(fd);
  throw new Error(`${path} is no file but a ${state.isFIFO() ? 'pipe' : 'special file'}`);
}

/** One by one: Node's own way of making them all never comes to an end under /proc. */
function makeFolders(folder: string, durable: boolean): void {
  if (fs.statSync(folder, { throwIfNoEntry: false }) !== undefined) return;
  const above = dirname(folder);
  if (above !== folder) makeFolders(above, durable);
  try {
    fs.mkdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (durable) syncFolder(above);
}

/** A new name in a folder is on the disk when the folder is. */
export function syncFolder(folder: string): void {
  let fd: number | null = null;
  try {
    fd = fs.openSync(folder, 'r');
    fs.fsyncSync(fd);
  } catch {
    // Not all systems let folders be opened, and not all file systems have anything to do here.
  } finally {
    if (fd !== null) fs.closeSync(fd);
  }
}

function write(fd: number, text: string): { written: number; error: Error | null } {
  let written = 0;
  try {
    written = fs.writeSync(fd, text, null, 'utf8');
    const length = Buffer.byteLength(text);
    if (written === length) return { written, error: null };
    const bytes = Buffer.from(text);
    // A disk that fills up takes what it has room for, and says so with the next write.
    while (written < length) written += fs.writeSync(fd, bytes, written);
    return { written, error: null };
  } catch (error) {
    return { written, error: error as Error };
  }
}

function isGone(fd: number): boolean {
  const { nlink, mode } = fs.fstatSync(fd);
  return nlink === 0 || (mode & replaced) !== 0;
}

/** A device, which has nothing to sync. */
function isUnsyncable(error: NodeJS.ErrnoException | null): boolean {
  return error?.code === 'EINVAL' || error?.code === 'ENOTSUP';
}
