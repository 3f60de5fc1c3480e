import { checkFlag, checkSignal, describe, whenAborted } from '@threadbus/core/internal';
import { QueueUnavailableError } from '../basics/errors.ts';
import { orAborted, pause } from '../basics/waits.ts';
import { JetStreamError } from '../jetstream/jetstream-error.ts';
import type { StoredMessage } from '../jetstream/stored-message.ts';
import type { QueueStore } from './queue-store.ts';

/** How far a reading goes. */
export interface FollowOptions {
  /** Go on with what is stored later, until the signal aborts. @default false: up to what was stored at the call */
  readonly follow?: boolean | undefined;
  /** Ends the reading, quietly. @default none */
  readonly signal?: AbortSignal | undefined;
}

/** Options of `jobs.replay`. */
export interface ReplayOptions extends FollowOptions {
  /** A time (ISO 8601 or Date), by the server's clock, or a sequence: from there on, itself included. @default everything */
  readonly since?: string | Date | { readonly sequence: number } | undefined;
  /** Give fresh copies, to be dispatched as new events. @default false */
  readonly reset?: boolean | undefined;
}

/** @throws TypeError */
export function checkFollow({ follow, signal }: FollowOptions): void {
  checkFlag('follow', follow);
  checkSignal(signal);
}

/** How to find the first sequence to read. @throws TypeError */
export function firstOf(store: QueueStore, since: ReplayOptions['since']): () => Promise<number> {
  if (since === undefined) return async () => 1;
  if (typeof since === 'object' && since !== null && 'sequence' in since) {
    const { sequence } = since;
    if (Number.isSafeInteger(sequence) && sequence >= 0) return async () => sequence;
    throw new TypeError(`Expected since.sequence to be a whole number from 0 up; got ${describe(sequence)}.`);
  }
  const epoch = since instanceof Date ? since.getTime() : typeof since === 'string' ? Date.parse(since) : Number.NaN;
  if (Number.isNaN(epoch)) {
    throw new TypeError(
      `Expected since to be a time, such as '2026-11-01T00:00:00Z', a Date, or { sequence }; got ${describe(since)}.`,
    );
  }
  return async () => {
    const info = await store.jetstream.stream(store.events);
    return info === null ? 1 : store.firstSince(epoch, info.state.first_seq, info.state.last_seq);
  };
}

/** Seconds until a store is asked again that could not answer. */
const betweenTries = 0.5;

/**
 * The messages of a stream, in order, from a sequence on. Who follows outlives what a server needs to come back; who
 * doesn't is told.
 */
export async function* readStream(
  store: QueueStore,
  stream: string,
  subject: string,
  first: () => Promise<number>,
  { follow = false, signal }: FollowOptions,
): AsyncGenerator<StoredMessage, void, undefined> {
  const { jetstream } = store;
  const isAborted = (): boolean => signal?.aborted === true;
  if (isAborted()) return;
  const ask = async <T>(work: () => Promise<T>): Promise<T> => {
    for (;;) {
      try {
        return await orAborted(work(), signal);
      } catch (error) {
        signal?.throwIfAborted();
        jetstream.broker.checkOpen();
        if (!follow || error instanceof JetStreamError) throw error;
        await pause(betweenTries, signal);
      }
    }
  };
  const news = follow ? new News(store, subject, signal) : null;
  try {
    const end = follow ? Infinity : ((await ask(() => jetstream.stream(stream)))?.state.last_seq ?? 0);
    for (let next = await ask(first); next <= end;) {
      if (isAborted()) return;
      const from = next;
      const message = await ask(() => jetstream.nextFrom(stream, subject, from));
      if (message !== null) {
        if (message.sequence > end) return;
        next = message.sequence + 1;
        yield message;
      } else if (news === null) return;
      else {
        if ((await ask(() => jetstream.stream(stream))) === null) {
          throw new QueueUnavailableError(`The queue ${store.name} was deleted.`, store.name);
        }
        await news.next();
      }
    }
  } catch (error) {
    if (!isAborted()) throw error;
  } finally {
    news?.close();
  }
}

/** Tells that something was stored. */
class News {
  readonly #ends: (() => void)[] = [];
  #has = false;
  #wake: (() => void) | null = null;

  constructor(store: QueueStore, subject: string, signal: AbortSignal | undefined) {
    const { broker } = store.jetstream;
    const tell = (): void => {
      this.#has = true;
      this.#wake?.();
    };
    this.#ends.push(broker.subscribe(subject, tell), broker.watch({ restored: tell, closed: tell }));
    if (signal !== undefined) this.#ends.push(whenAborted(signal, tell));
  }

  async next(): Promise<void> {
    if (!this.#has) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#has = false;
    this.#wake = null;
  }

  close(): void {
    for (const end of this.#ends) end();
  }
}
