import type { BaseEvent } from '../event/base-event.ts';
import { BusCapacityError } from '../basics/errors.ts';
import { checkSize } from '../basics/duration.ts';
import { checkOptions, checkSignal } from '../basics/options.ts';
import { Fifo } from '../basics/fifo.ts';
import { whenAborted } from '../basics/when-aborted.ts';

/** Options of `events`. */
export interface EventsOptions {
  /** Ends the iteration when it aborts, quietly and at once. @default none */
  readonly signal?: AbortSignal | undefined;
  /** How many events are kept unread; one more, and the iteration throws BusCapacityError behind them. null = any number. @default 1000 */
  readonly buffer?: number | null | undefined;
}

/** @throws TypeError or RangeError */
export function checkEventsOptions(options: EventsOptions): { signal: AbortSignal | undefined; buffer: number | null } {
  checkOptions('events', options, ['signal', 'buffer']);
  checkSignal(options.signal);
  return { signal: options.signal, buffer: checkSize('buffer', options.buffer === undefined ? 1_000 : options.buffer) };
}

interface Reader<E> {
  resolve(result: IteratorResult<E, undefined>): void;
  reject(error: Error): void;
}

/**
 * Events as they are dispatched, for one reader.
 *
 * Open until the bus or the signal ends it, the reader leaves, or more are unread than it may hold; what is buffered then
 * is still read, but for the signal and a reader who leaves.
 */
export class EventStream<E extends BaseEvent = BaseEvent> implements AsyncIterableIterator<E, undefined> {
  readonly #limit: number | null;
  readonly #busName: string;
  /** Nothing more is to be pushed. */
  readonly #onEnd: () => void;
  readonly #stopListening: (() => void) | null;
  #buffer = new Fifo<E>();
  #readers: Reader<E>[] = [];
  #ended = false;
  #error: Error | null = null;

  constructor(busName: string, { signal, buffer }: ReturnType<typeof checkEventsOptions>, onEnd: () => void) {
    this.#busName = busName;
    this.#limit = buffer;
    this.#onEnd = onEnd;
    this.#stopListening = signal === undefined ? null : whenAborted(signal, () => this.#drop());
    this.#ended = signal?.aborted === true;
  }

  get ended(): boolean {
    return this.#ended;
  }

  push(event: E): void {
    if (this.#ended) return;
    const reader = this.#readers.shift();
    if (reader !== undefined) reader.resolve({ done: false, value: event });
    else if (this.#limit === null || this.#buffer.size < this.#limit) this.#buffer.push(event);
    else this.end(this.#overflow(event, this.#limit));
  }

  /** What is buffered can be read; then comes the end, or the error. */
  end(error: Error | null = null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    this.#stopListening?.();
    this.#onEnd();
    const readers = this.#readers;
    this.#readers = [];
    for (const reader of readers) this.#finish(reader);
  }

  next(): Promise<IteratorResult<E, undefined>> {
    const event = this.#buffer.shift();
    if (event !== undefined) return Promise.resolve({ done: false, value: event });
    return new Promise((resolve, reject) => {
      const reader = { resolve, reject };
      if (this.#ended) this.#finish(reader);
      else this.#readers.push(reader);
    });
  }

  return(): Promise<IteratorResult<E, undefined>> {
    this.#drop();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #drop(): void {
    this.#buffer = new Fifo();
    this.#error = null;
    this.end();
  }

  #finish(reader: Reader<E>): void {
    const error = this.#error;
    this.#error = null;
    if (error === null) reader.resolve({ done: true, value: undefined });
    else reader.reject(error);
  }

  #overflow(event: BaseEvent, limit: number): BusCapacityError {
    return new BusCapacityError(
      `${limit} events of ${this.#busName} are unread, and whoever iterates over events() is not done with the one before: ${event.event_type} and what comes after it are not kept. Read faster, or raise buffer.`,
      { busName: this.#busName, eventType: event.event_type, eventId: event.event_id },
      { pending: limit, limit },
    );
  }
}
