import { mkdir, open, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { BaseEvent } from '../event/base-event.ts';
import { WalWriteError } from '../basics/errors.ts';
import { startTimer } from '../basics/timer.ts';
import { toJsonValue } from '../event/json-codec.ts';
import type { Logger } from '../basics/logger.ts';
import type { BusObserver } from '../event/observer.ts';

/** Ends a line that a crash has torn, so that readers can tell it from one that was damaged. */
export const tornMark = '\u0018';
const newline = 0x0a;
/** Seconds after which an open file is closed at the next opportunity, so that a file that was moved is let go. */
const fileLife = 1;
/** Milliseconds in which a writer that is alive writes on. */
const stillness = 10;
/** Bounds what is turned into one text, however much has piled up while the file could not be written. */
const linesPerBatch = 4096;

/**
 * Appends every completed event of a bus to a file, one line of JSON each, in order of completion.
 *
 * Lines are collected while a write is under way, so a busy bus writes many at once. Lines that could not be written
 * are kept, in order, and go out with the next flush.
 */
export class Wal implements BusObserver {
  readonly #path: string;
  readonly #busName: string;
  readonly #logger: Logger;
  #lines: string[] = [];
  /** Whole lines of a batch that could be written only in part. */
  #rest: Buffer | null = null;
  #restLines = 0;
  #writing: Promise<void> | null = null;
  #file: FileHandle | null = null;
  #fileIsOld = false;
  /** Where the file ends, unless somebody else writes to it, too. */
  #end = 0;
  #error: unknown = null;

  constructor(path: string, busName: string, logger: Logger) {
    this.#path = path;
    this.#busName = busName;
    this.#logger = logger;
  }

  completed(event: BaseEvent): void {
    try {
      const { event_started_at, event_completed_at } = event;
      const document = { ...event.toJSON(), event_started_at, event_completed_at };
      this.#lines.push(`${JSON.stringify(toJsonValue(document))}\n`);
    } catch (error) {
      const { message } = error as Error;
      this.#logger.error(
        `${this.#busName}: ${event.event_type}#${event.event_id.slice(-4)} is not in ${this.#path}: ${message}`,
      );
      return;
    }
    this.#writing ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#write());
  }

  /** Resolves when all lines so far are in the file, or an attempt to write them has failed. */
  async flush(): Promise<void> {
    if (this.#writing === null && this.#unwritten > 0) this.#writing = this.#write();
    await this.#writing;
  }

  /**
   * Writes what is left.
   *
   * @throws WalWriteError if some of it can't be written
   */
  async close(): Promise<void> {
    await this.flush();
    await this.#closeFile();
    const lines = this.#unwritten;
    if (lines === 0) return;
    throw new WalWriteError(
      `${this.#busName}: ${lines} completed events could not be written to ${this.#path}: ${(this.#error as Error).message}. They are kept: remove the cause, then call stop() again.`,
      { busName: this.#busName },
      { path: this.#path, lines },
      { cause: this.#error },
    );
  }

  get #unwritten(): number {
    return this.#lines.length + this.#restLines;
  }

  /** Writes batch after batch until none is left or one fails. */
  async #write(): Promise<void> {
    try {
      do {
        if (this.#unwritten > 0) {
          const file = await this.#openFile();
          while (this.#unwritten > 0) await this.#writeBatch(file);
        }
        if (this.#fileIsOld) await this.#closeFile();
        // More may have come while it was closed.
      } while (this.#unwritten > 0);
    } catch (error) {
      this.#error = error;
      await this.#closeFile().catch(() => undefined);
      this.#logger.error(
        `${this.#busName}: could not write to ${this.#path}: ${(error as Error).message}. ${this.#unwritten} events are kept and tried again with the next one.`,
      );
    } finally {
      this.#writing = null;
    }
  }

  /** The file, kept open for a while: opening it costs more than writing to it. */
  async #openFile(): Promise<FileHandle> {
    if (this.#file === null) {
      await mkdir(dirname(this.#path), { recursive: true });
      this.#file = await open(this.#path, 'a+');
      this.#end = 0;
      startTimer(fileLife, () => this.#outlive(), false);
    }
    const { nlink, size } = await this.#file.stat();
    if (nlink === 0) {
      // Into a file that was deleted meanwhile, lines would vanish without a word.
      await this.#closeFile();
      return this.#openFile();
    }
    if (size !== this.#end) this.#end = await endTornLine(this.#file, size);
    return this.#file;
  }

  #outlive(): void {
    if (this.#file === null) return;
    this.#fileIsOld = true;
    this.#writing ??= this.#write();
  }

  async #closeFile(): Promise<void> {
    const file = this.#file;
    this.#file = null;
    this.#fileIsOld = false;
    await file?.close();
  }

  async #writeBatch(file: FileHandle): Promise<void> {
    if (this.#rest === null) {
      const lines = this.#lines.splice(0, linesPerBatch);
      this.#rest = Buffer.from(lines.join(''));
      this.#restLines = lines.length;
    }
    const batch = this.#rest;
    let written = 0;
    try {
      while (written < batch.length) written += (await file.write(batch, written)).bytesWritten;
      this.#end += written;
    } catch (error) {
      // A line that was written only in part is written again as a whole: others may append before we can go on.
      const whole = written === 0 ? 0 : batch.lastIndexOf(newline, written - 1) + 1;
      this.#rest = batch.subarray(whole);
      this.#restLines = this.#rest.filter((byte) => byte === newline).length;
      throw error;
    }
    this.#rest = null;
    this.#restLines = 0;
  }
}

/** A crash or a full disk may have left half a line: ours must not be glued to it. @returns where the file ends then */
async function endTornLine(file: FileHandle, size: number): Promise<number> {
  if (size === 0) return 0;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  if (buffer[0] === newline) return size;
  await setTimeout(stillness);
  const now = await file.stat();
  // It grows: another writer is in the middle of a line, which is none of our business.
  if (now.size !== size) return endTornLine(file, now.size);
  return size + (await file.write(`${tornMark}\n`)).bytesWritten;
}
