import { startTimer, type Timer } from '@threadbus/core/internal';
import type { BoardReader, Holder } from './board.ts';

/** Seconds between two looks while something is under way; a look is a few reads of shared memory. */
const interval = 0.1;
/** Seconds in which a thread must answer before it is taken to be blocked. */
const grace = 0.2;

/** What the watchdog needs of its thread's owner. */
export interface Watched {
  readonly board: BoardReader;
  /** Seconds; null = never. */
  readonly unresponsiveTimeout: number | null;
  /** Asks the thread to answer with `pong`. */
  ping(token: number): void;
  /** The event in that slot was cancelled on this side. */
  isCancelled(slot: number): boolean;
  /** The handler has overrun, or was cancelled, and blocks its thread. */
  blocked(holder: Holder, overrun: boolean): void;
  /** The thread answers nothing. */
  unresponsive(): void;
}

/**
 * Watches a thread while events are under way in it.
 *
 * A handler that overruns and doesn't block is ended by its thread's own timer. So a handler that still holds the slot
 * past its time is pinged for: only if the thread doesn't answer either does it block, and only then is it killed.
 */
export class Watchdog {
  readonly #watched: Watched;
  #timer: Timer | null = null;
  #token = 0;
  #answered = 0;
  /** When the thread was last heard of, epoch milliseconds. */
  #heard = 0;
  #suspect: { readonly holder: Holder; readonly token: number; readonly since: number } | null = null;
  #probe: { readonly token: number; readonly since: number } | null = null;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** Something is under way. */
  start(): void {
    this.#heard = Date.now();
    if (this.#timer === null) this.#again();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#suspect = null;
    this.#probe = null;
  }

  pong(token: number): void {
    this.#answered = token;
    this.heard();
  }

  heard(): void {
    this.#heard = Date.now();
    this.#probe = null;
  }

  #again(): void {
    this.#timer = startTimer(interval, () => this.#look(), false);
  }

  #look(): void {
    const now = Date.now();
    this.#again();
    this.#checkHolder(now);
    if (this.#timer !== null) this.#checkLife(now);
  }

  #checkHolder(now: number): void {
    const holder = this.#watched.board.holder();
    const overrun = holder !== null && holder.timeout > 0 && now > holder.startedAt + holder.timeout * 1000;
    if (holder === null || !(overrun || this.#watched.isCancelled(holder.slot))) {
      this.#suspect = null;
      return;
    }
    const suspect = this.#suspect;
    if (suspect === null || suspect.holder.token !== holder.token) {
      this.#suspect = { holder, token: this.#ping(), since: now };
    } else if (this.#answered >= suspect.token) {
      // It isn't blocked. It may block later.
      this.#suspect = null;
    } else if (now - suspect.since >= grace * 1000) {
      this.#watched.blocked(holder, overrun);
    }
  }

  #checkLife(now: number): void {
    const { unresponsiveTimeout } = this.#watched;
    if (unresponsiveTimeout === null) return;
    const limit = unresponsiveTimeout * 1000;
    if (this.#probe === null) {
      if (now - this.#heard >= limit / 2) this.#probe = { token: this.#ping(), since: now };
    } else if (this.#answered < this.#probe.token && now - this.#probe.since >= limit / 2) {
      this.#watched.unresponsive();
    }
  }

  #ping(): number {
    this.#token += 1;
    this.#watched.ping(this.#token);
    return this.#token;
  }
}
