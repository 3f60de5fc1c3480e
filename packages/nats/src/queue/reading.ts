import { checkFlag, checkSignal, describe, whenAborted } from '@threadbus/core/internal';
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

/** The first sequence to read. @throws TypeError */
export async function firstOf(store: QueueStore, since: ReplayOptions['since']): Promise<number> {
  if (since === undefined) return 1;
  if (typeof since === 'object' && since !== null && 'sequence' in since) {
    const { sequence } = since;
    if (Number.isSafeInteger(sequence) && sequence >= 0) return sequence;
    throw new TypeError(`Expected since.sequence to be a whole number from 0 up; got ${describe(sequence)}.`);
  }
  const epoch = since instanceof Date ? since.getTime() : typeof since === 'string' ? Date.parse(since) : Number.NaN;
  if (Number.isNaN(epoch)) {
    throw new TypeError(
      `Expected since to be a time, such as '2026-11-01T00:00:00Z', a Date, or { sequence }; got ${describe(since)}.`,
    );
  }
  const info = await store.jetstream.stream(store.events);
  if (info === null) return 1;
  return store.firstSince(epoch, info.state.first_seq, info.state.last_seq);
}

/** The messages of a stream, in order, from a sequence on. */
export async function* readStream(
  store: QueueStore,
  stream: string,
  subject: string,
  from: number,
  { follow = false, signal }: FollowOptions,
): AsyncGenerator<StoredMessage, void, undefined> {
  const { jetstream } = store;
  const end = follow ? Infinity : ((await jetstream.stream(stream))?.state.last_seq ?? 0);
  const news = follow ? new News(store, subject, signal) : null;
  try {
    for (let next = from; next <= end;) {
      if (signal?.aborted === true) return;
      const message = await jetstream.nextFrom(stream, subject, next);
      if (message !== null) {
        if (message.sequence > end) return;
        next = message.sequence + 1;
        yield message;
      } else if (news === null) return;
      else await news.next();
    }
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
