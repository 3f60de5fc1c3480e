import type { Moment } from '../basics/clock.ts';
import { WalWriteError } from '../basics/errors.ts';
import type { Logger } from '../basics/logger.ts';
import { monotonic, queueMicrotask, setImmediate } from '../basics/node-clock.ts';
import { startTimer, type Timer } from '../basics/timer.ts';
import type { BaseEvent } from '../event/base-event.ts';
import type { Delivery } from '../run/delivery.ts';
import { Arrival, End, type LogEntry, type LogHost } from './log-entry.ts';
import { LogFile, PartialWriteError } from './log-file.ts';
import { arrivalLine, bareEndLine, batchStart, endLine } from './log-line.ts';
import { countUnwritten, forgetLog, watchLog } from './unwritten.ts';

/** How a bus logs. */
export interface LogMode {
  readonly path: string;
  /** Arrivals too, each before its first handler starts. */
  readonly ahead: boolean;
  /** Lines are on the disk, not only with the system, before anybody is told. */
  readonly sync: boolean;
}

/** Microtasks without another line after which the lines so far are written: a handler's end and the next take fewer. */
const patience = 12;
/** Lines that wait for more at most: whoever awaits the first of them waits as long. */
const mostLines = 128;
/** The same with a trip to the disk ahead, beside which that wait is nothing. */
const mostSynced = 4_096;
/** Turns of the event loop without another line after which nobody is expected: a handler may need one for its end. */
const quietTurns = 2;
/** The part of a trip to the disk that is spent to take along those who were waiting for the one before. */
const longestStay = 1 / 4;
/** Characters of lines that are written at once; a single line may be longer. */
const mostText = 4 << 20;
/** Seconds between attempts to write while nothing else makes one. */
const retryAfter = 1;

/**
 * The log of one bus: what happens to its events, one line each, in order.
 *
 * How completion waits for it. An event that has nothing open is *finished*; its lifecycle hands it to the log of each
 * bus that had it (`ended`) and stays 'started' until all of them have answered (`recorded`), which completes it. So
 * whatever completion means - waits, results over links, the history, `waitUntilIdle`, the parent's own end - comes
 * after the line, and nothing needs to know of the log. What doesn't wait: the bus's turn. The next event starts while
 * the lines of others are under way, which is why many share one write. A handler that awaits the event stays
 * suspended meanwhile, as in any await; its time goes on.
 *
 *   idle ──a line──▶ gathering ──no more lines for some microtasks, or enough──▶ written ──sync──▶ syncing ──▶ idle
 *
 * Without `sync` a write is a call of the system, within the same turn of the event loop, and answers at once. With it,
 * lines gather while the disk works on those before them: one trip for all of them, however many. Nor does the next trip
 * begin at once: whoever has just heard of his events has more of them in a moment, and they would have to wait for two.
 * So it waits as long as each turn of the event loop brings lines, up to a fourth of what the last trip took.
 *
 * Arrivals go the same way: an event is in front of its bus's queue, admitted to it once its arrival is written.
 *
 * Lines that could not be written are kept, in order, and tried again with the next, every second, and at the end.
 */
export class EventLog {
  readonly path: string;
  readonly ahead: boolean;
  readonly #sync: boolean;
  readonly #busName: () => string;
  readonly #logger: Logger;
  readonly #host: LogHost;
  readonly #file: LogFile;
  #entries: LogEntry[] = [];
  /** Written, and waiting for the disk. */
  #syncing: readonly LogEntry[] | null = null;
  #onSynced: (() => void)[] = [];
  #gathering = false;
  #hops = 0;
  #seen = 0;
  /** When the trip to the disk begins in any case, and how many ms the last one took. */
  #leavesAt = 0;
  #tripTime = 0;
  #failure: WalWriteError | null = null;
  #retry: Timer | null = null;

  constructor({ path, ahead, sync }: LogMode, busName: () => string, logger: Logger, host: LogHost) {
    this.path = path;
    this.ahead = ahead;
    this.#sync = sync;
    this.#busName = busName;
    this.#logger = logger;
    this.#host = host;
    this.#file = new LogFile(path, sync);
  }

  /** Why lines are unwritten; null while all goes well. */
  get failure(): WalWriteError | null {
    return this.#failure;
  }

  /** Lines that are not where they were promised to be. */
  get unwritten(): number {
    return this.#entries.length + (this.#syncing?.length ?? 0);
  }

  /** @throws UnserializableError: what can't be logged can't be taken */
  arrival(event: BaseEvent): Arrival {
    return new Arrival(arrivalLine(event), this.#host);
  }

  arrived(arrival: Arrival): void {
    this.#push(arrival);
  }

  /** An event is finished on this bus: its lifecycle will be told `recorded`. */
  ended({ event, lifecycle, stoppedBy }: Delivery, at: Moment): void {
    let text: string;
    try {
      text = endLine(event, at, stoppedBy);
    } catch (error) {
      this.#logger.error(
        `${this.#busName()}: ${event.event_type}#${event.event_id.slice(-4)} is not in ${this.path}: ${(error as Error).message}`,
      );
      // Nothing of it to write; still it ends behind those that were before it.
      text = this.ahead ? bareEndLine(event, at, stoppedBy) : '';
    }
    this.#push(new End(text, lifecycle, at, this.#host, this.#sync));
  }

  /** Writes what there is, at once. @returns false if lines are left that could not be written */
  writeNow(): boolean {
    if (this.#syncing === null) this.#write();
    return this.#failure === null;
  }

  /** Resolves when all lines so far are where they are to be, or an attempt to get them there has failed. */
  async flush(): Promise<void> {
    while (this.unwritten > 0) {
      if (this.#syncing === null && !this.writeNow()) return;
      if (this.#syncing !== null) await this.#synced();
      if (this.#failure !== null) return;
    }
  }

  /**
   * Writes what is left, and lets go of the file.
   *
   * @throws WalWriteError if some of it can't be written
   */
  async close(): Promise<void> {
    await this.flush();
    if (this.#syncing === null) this.#file.close();
    const failure = this.#failure;
    if (failure === null) return;
    for (const entry of [...this.#entries]) entry.giveUp();
    throw this.#error(
      `${this.unwritten} ${this.ahead ? 'lines' : 'completed events'} could not be written to ${this.path}: ${messageOf(failure)}. They are kept: remove the cause, then call stop() again.`,
      failure.cause,
    );
  }

  /** The thread is about to end, and nothing waits any more. */
  lastWrite(): void {
    if (this.#entries.length > 0) this.#append(this.#entries.map(({ text }) => text).join(''));
    countUnwritten(-this.#entries.length);
    if (this.#sync) this.#file.syncNow();
  }

  #push(entry: LogEntry): void {
    // Before it is added: its own lifecycle isn't ready for an answer.
    if (this.#gathering && this.#entries.length >= (this.#sync ? mostSynced : mostLines)) this.writeNow();
    if (this.unwritten === 0) watchLog(this);
    this.#entries.push(entry);
    countUnwritten(1);
    if (!this.#gathering && this.#syncing === null) this.#startGathering();
  }

  #startGathering(): void {
    this.#gathering = true;
    if (this.#sync) {
      this.#seen = this.#entries.length;
      this.#hops = quietTurns;
      this.#leavesAt = monotonic() + this.#tripTime * longestStay;
      setImmediate(this.#turn);
      return;
    }
    this.#seen = 0;
    this.#hops = patience;
    queueMicrotask(this.#gather);
  }

  readonly #turn = (): void => {
    if (!this.#gathering) return;
    const { length } = this.#entries;
    this.#hops = length === this.#seen ? this.#hops - 1 : quietTurns;
    this.#seen = length;
    if (this.#hops > 0 && length < mostSynced && monotonic() < this.#leavesAt) setImmediate(this.#turn);
    else this.#write();
  };

  readonly #gather = (): void => {
    if (!this.#gathering) return;
    const { length } = this.#entries;
    this.#hops = length === this.#seen ? this.#hops - 1 : patience;
    this.#seen = length;
    if (this.#hops > 0) queueMicrotask(this.#gather);
    else this.#write();
  };

  /** Writes batch after batch until nothing is left, one fails, or the disk is asked to keep what was written. */
  #write(): void {
    this.#gathering = false;
    while (this.#entries.length > 0) {
      const batch = this.#takeBatch();
      try {
        this.#append(batch.map(({ text }) => text).join(''));
        countUnwritten(-batch.length);
      } catch (error) {
        this.#keep(batch, error as PartialWriteError);
        return;
      }
      if (this.#sync) {
        this.#startSync(batch);
        return;
      }
      this.#succeed(batch);
    }
  }

  #append(text: string): void {
    if (text !== '') this.#file.append(`${batchStart}${text}`);
  }

  /** While lines are refused, one is enough to find out whether they still are. */
  #takeBatch(): LogEntry[] {
    let size = 0;
    let count = 0;
    const most = this.#failure === null ? this.#entries.length : 1;
    while (count < most && size < mostText) {
      size += this.#entries[count]?.text.length ?? 0;
      count += 1;
    }
    if (count < this.#entries.length) return this.#entries.splice(0, count);
    const all = this.#entries;
    this.#entries = [];
    return all;
  }

  #startSync(batch: readonly LogEntry[]): void {
    this.#syncing = batch;
    const began = monotonic();
    this.#file.sync((error) => {
      this.#syncing = null;
      this.#tripTime = monotonic() - began;
      // Of what the disk has refused nobody knows how much it has: all of it is written again.
      if (error === null) this.#succeed(batch);
      else {
        countUnwritten(batch.length);
        this.#keep([...batch], new PartialWriteError(error, 0));
      }
      for (const tell of this.#onSynced.splice(0)) tell();
      if (error === null && !this.#gathering && this.#entries.length > 0) this.#startGathering();
    });
  }

  #synced(): Promise<void> {
    return new Promise((resolve) => {
      this.#onSynced.push(resolve);
    });
  }

  #succeed(batch: readonly LogEntry[]): void {
    if (this.#failure !== null) {
      this.#failure = null;
      this.#retry?.cancel();
      this.#retry = null;
      this.#logger.warn(`${this.#busName()}: ${this.path} can be written to again.`);
    }
    if (this.unwritten === 0) forgetLog(this);
    for (const entry of batch) entry.written();
  }

  /** Puts back what is not in the file. A line that is there in part is written again as a whole. */
  #keep(batch: LogEntry[], { message, cause, written }: PartialWriteError): void {
    let done = 0;
    // What is not on the disk for sure may be gone with the failure.
    if (!this.#sync) {
      let bytes = batchStart.length;
      for (const { text } of batch) {
        bytes += Buffer.byteLength(text);
        if (bytes > written) break;
        done += 1;
      }
    }
    countUnwritten(-done);
    this.#entries = [...batch.slice(done), ...this.#entries];
    const before = this.#failure;
    const failure = this.#error(
      `could not write to ${this.path}: ${message}. ${this.#entries.length} events are kept and tried again with the next one.`,
      cause ?? new Error(message),
    );
    this.#failure = failure;
    if (before === null || messageOf(before) !== message) this.#logger.error(failure.message);
    const refused = [...this.#entries];
    this.#retry?.cancel();
    for (const entry of batch.slice(0, done)) entry.written();
    for (const entry of refused) entry.failed(failure);
    this.#host.refused(failure);
    const holding = this.#entries.some(({ holds }) => holds);
    this.#retry = startTimer(retryAfter, () => void this.writeNow(), holding);
  }

  #error(text: string, cause: unknown): WalWriteError {
    const busName = this.#busName();
    return new WalWriteError(`${busName}: ${text}`, { busName }, { path: this.path, lines: this.unwritten }, { cause });
  }
}

function messageOf({ cause }: WalWriteError): string {
  return (cause as Error).message;
}
