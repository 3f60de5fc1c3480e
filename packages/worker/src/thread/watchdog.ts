import { startTimer, type Timer } from '@threadbus/core/internal';
import { outsideContexts } from '@threadbus/link/internal';
import type { BoardReader, Holder } from './board.ts';
import { monotonic } from './monotonic.ts';

/** Seconds between two looks while something is under way; a look is a few reads of shared memory. */
const interval = 0.1;
/** Seconds in which a thread must answer before it is taken to be blocked. */
const grace = 0.4;

/** What the watchdog needs of its thread's owner. */
export interface Watched {
  readonly board: BoardReader;
  /** Seconds; null = never. */
  readonly unresponsiveTimeout: number | null;
  /** This side waits for something from the thread: events or answers. */
  readonly expectsNews: boolean;
  /** Asks the thread to answer with `pong`. */
  ping(token: number): void;
  /** Reads what the thread has sent and this side has had no time for, then calls back. */
  catchUp(then: () => void): void;
  /** The event in that slot was cancelled on this side. */
  isCancelled(slot: number): boolean;
  /**
   * The handler has overrun, or was cancelled, and blocks its thread.
   *
   * @param still whether that is so: the thread may come to itself meanwhile
   */
  blocked(holder: Holder, overrun: boolean, still: () => boolean): void;
  /** The thread answers nothing. */
  unresponsive(still: () => boolean): void;
}

/**
 * Watches a thread while it has something to do.
 *
 * A handler that overruns and doesn't block is ended by its thread's own timer. So a handler that is still shown past
 * its time is pinged for: only if the thread doesn't answer either does it block, and only then is it killed.
 */
export class Watchdog {
  readonly #watched: Watched;
  #timer: Timer | null = null;
  #token = 0;
  #answered = 0;
  /** Something has come from the thread since the last look. */
  #news = false;
  /** At which look, in monotonic milliseconds, there were news. */
  #heard = 0;
  #suspect: { readonly holder: Holder; readonly token: number; readonly since: number } | null = null;
  #probe: { readonly token: number; readonly since: number } | null = null;

  constructor(watched: Watched) {
    this.#watched = watched;
  }

  /** The thread has something to do; the watch ends by itself when it has no more. */
  start(): void {
    if (this.#timer !== null) return;
    this.#heard = monotonic() * 1000;
    this.#watched.board.setWatched(true);
    this.#again();
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
    this.#news = true;
    this.#probe = null;
  }

  #again(): void {
    // The timer would keep the context of whoever has dispatched the first event.
    this.#timer = outsideContexts(() => startTimer(interval, () => this.#look(), false));
  }

  #look(): void {
    if (this.#isOver()) {
      this.stop();
      return;
    }
    const now = monotonic() * 1000;
    this.#again();
    this.#checkHolder(now);
    if (this.#timer !== null) this.#checkLife(now);
  }

  #isOver(): boolean {
    const { board, expectsNews } = this.#watched;
    if (expectsNews || board.holder() !== null) return false;
    board.setWatched(false);
    // A handler may have started in between and found the board watched.
    if (board.holder() === null) return true;
    board.setWatched(true);
    return false;
  }

  #checkHolder(now: number): void {
    const holder = this.#watched.board.holder();
    const overrun = holder !== null && holder.timeout > 0 && now > holder.startedAt + holder.timeout * 1000;
    if (holder === null || !(overrun || this.#isCancelled(holder))) {
      this.#suspect = null;
      return;
    }
    const suspect = this.#suspect;
    if (suspect === null || suspect.holder.token !== holder.token) {
      this.#suspect = { holder, token: this.#ping(), since: now };
    } else if (now - suspect.since >= grace * 1000) {
      this.#suspect = null;
      // This thread may have been busy itself, with the answer waiting.
      const { token } = suspect;
      const still = (): boolean => this.#timer !== null && this.#answered < token;
      this.#unlessAnswered(token, () => this.#watched.blocked(holder, overrun, still));
    }
  }

  #isCancelled({ kind, slot }: Holder): boolean {
    return (kind === 'own' || kind === 'awaited') && this.#watched.isCancelled(slot);
  }

  #checkLife(now: number): void {
    const { unresponsiveTimeout } = this.#watched;
    if (this.#news) this.#heard = now;
    this.#news = false;
    if (unresponsiveTimeout === null) return;
    const limit = unresponsiveTimeout * 1000;
    if (this.#probe === null) {
      if (now - this.#heard >= limit / 2) this.#probe = { token: this.#ping(), since: now };
    } else if (now - this.#probe.since >= limit / 2) {
      const { token } = this.#probe;
      this.#watched.catchUp(() => {
        const still = (): boolean => this.#timer !== null && this.#probe?.token === token;
        if (still()) this.#watched.unresponsive(still);
      });
    }
  }

  #unlessAnswered(token: number, act: () => void): void {
    if (this.#answered >= token) return;
    this.#watched.catchUp(() => {
      if (this.#answered < token && this.#timer !== null) act();
    });
  }

  #ping(): number {
    this.#token += 1;
    this.#watched.ping(this.#token);
    return this.#token;
  }
}
