import type { CarrierEnd } from './carrier.ts';
import { monotonic } from '../thread/monotonic.ts';
import { type WhereIs, whereIs } from '../thread/stuck-at.ts';
import { GivenCalls } from './given-calls.ts';
import { Overrun } from './overrun.ts';
import type { CallHolder, PoolCall } from './pool-call.ts';
import { PoolLines } from './pool-lines.ts';
import type { ToPool } from './pool-port.ts';
import { horizon } from './run-times.ts';
import { TakeWatch, type TakeWatchOwner } from './take-watch.ts';
import { blockedError, deathError, preloadError, reasonOf, unreadableError } from './thread-errors.ts';
import { ThreadClock } from './thread-clock.ts';
import { ThreadEnding } from './thread-ending.ts';
import type { ThreadHost, ThreadOptions } from './thread-host.ts';
import { type ModulesOwner, ThreadModules } from './thread-modules.ts';
import { ThreadPlace } from './thread-place.ts';
import { ThreadSeat } from './thread-seat.ts';
import { WaitWatch } from './wait-watch.ts';

/** Seconds for a thread to answer that its handler was ended. */
const grace = 0.2;

/**
 * One thread of a pool, for as long as it lives: one carrier, one port, one link for each bus that calls.
 *
 *   starting ──it says that it is up, and has loaded what is to be preloaded──▶ idle
 *   idle ──a call whose module it has──▶ busy ──the answer──▶ idle, or busy with a call that it was given ahead
 *   idle ──a call whose module it hasn't──▶ loading ──loaded──▶ busy, or idle if the call was ended meanwhile
 *   busy ──its call is ended from outside──▶ draining ──the answer──▶ idle
 *   any ──it dies──▶ gone;   any ──it is ended──▶ ending ──it is gone──▶ gone
 *
 * It works for one call at a time. Further calls it may be given ahead (see GivenCalls and PoolCall), which it takes one
 * after the other: as their answers come in that order, each answer says whose turn it is now. They are taken back before
 * it drains, awaits or ends. Each state has its clock:
 * - *starting*, *loading*: `startTimeout` for each step; then it is ended, with WorkerStartError for its call. That it
 *   begins to load it has to say as quickly as it has to take a call.
 * - *busy*: the call has to be taken within a second, or a fifth of one if functions of ended handlers are known to go
 *   on in the thread. If it isn't, something that has settled long ago blocks the thread: it is ended, and the call goes
 *   to another. From then on the call has a clock of its own. While its handler awaits an event, or has returned and
 *   leaves events to be waited for, the thread needs no place.
 * - *draining*: a fifth of a second (more if it isn't seen to be blocked, but has no core) to answer, or to say that it waits for events that the handler has dispatched. It
 *   needs no more for that than its event loop, whatever the function of the ended handler does: one that doesn't is
 *   blocked by it, and ended. One that waits is pinged each second, and ended if it doesn't answer within another; so is
 *   one that is *busy* and waits, for an event or for what was printed, if its handler has returned or functions of ended
 *   handlers go on in it.
 * - *ending*: if the pool was stopped, or it had nothing to do, it is asked to end, else made to (see ThreadEnding).
 * - *idle*: the pool ends it after `idleTimeout`.
 *
 * What a thread has said before it died is read before its end is acted upon: a call that was answered is answered.
 */
export class PoolThread implements CallHolder, ModulesOwner, TakeWatchOwner {
  state: 'starting' | 'idle' | 'loading' | 'busy' | 'draining' | 'ending' | 'gone' = 'starting';
  /** In monotonic seconds, if it is idle. */
  idleSince = 0;
  /** It was given a call since it started: so whatever ends it, its replacements can't follow each other without end. */
  useful = false;
  readonly #host: ThreadHost<PoolThread>;
  readonly #clock = new ThreadClock(
    (error) => this.#end(error),
    () => this.#seat.readAll(),
    () => this.#seat.idleTime,
  );
  readonly #watch = new TakeWatch(this, this.#clock);
  readonly #seat: ThreadSeat;
  readonly #lines: PoolLines;
  readonly #ending: ThreadEnding;
  readonly #waits: WaitWatch;
  /** What it works for, or will. */
  readonly calls: GivenCalls;
  readonly #modules: ThreadModules;
  readonly #place: ThreadPlace;
  #onGone: (() => void) | null = null;

  /** @throws what keeps it from starting */
  constructor(host: ThreadHost<PoolThread>, options: ThreadOptions) {
    this.#host = host;
    this.#place = new ThreadPlace(host);
    const hasAhead = (): boolean => this.calls.ahead > 0;
    const owner = {
      get expectsMore() {
        return hasAhead();
      },
      read: (message: ToPool) => this.#read(message),
      unreadable: (cause: unknown) => this.#end(unreadableError(cause)),
      died: (end: CarrierEnd) => this.#died(end),
    };
    this.#seat = new ThreadSeat(owner, this.#watch.buffer, options);
    this.#lines = new PoolLines(this.#seat.port, {
      suspended: (awaiting) => this.#suspended(awaiting),
      lost: owner.unreadable,
    });
    this.#modules = new ThreadModules(this, this.#clock, options, (message) => this.#seat.port.postMessage(message));
    this.#ending = new ThreadEnding(this.#seat, this.#clock, () => this.#gone());
    const end = (error: Error): void => this.#end(error);
    this.calls = new GivenCalls(this.#watch, this.#lines, (at) => this.#next(at), end);
    this.#waits = new WaitWatch(this.#lines, this.#clock, () => this.state === 'draining' || this.#watch.hasMore);
    this.#place.take(true);
  }

  /** Functions of handlers that were ended long ago go on in it. */
  get hasLeftovers(): boolean {
    return this.#watch.hasLeftovers;
  }

  /** It has loaded so many modules that another should take its place. */
  get worn(): boolean {
    return this.#modules.worn;
  }

  /** Somebody waits for it: the process stays up. */
  hold(): void {
    this.#seat.hold();
  }

  /** Whether it can be given that call ahead. */
  takesAhead(call: PoolCall): boolean {
    if (this.state !== 'busy' || this.#place.awaiting || this.#seat.isHere) return false;
    return this.#modules.numberOf(call.entry) !== undefined && this.calls.takesAhead(call);
  }

  slow(waited: number): boolean {
    if (waited < horizon && !this.#host.hasIdle) return false;
    this.#host.takeBack(this.calls.takeAll());
    this.#host.changed();
    return true;
  }

  held(call: PoolCall): void {
    if (this.state === 'busy') this.#waits.start(call);
  }

  /** Takes over a call: only when idle, or ahead. */
  give(call: PoolCall): void {
    call.give(this, this.#seat.place);
    if (this.state === 'busy') {
      this.calls.sendAhead(call, this.#modules.numberOf(call.entry) as number);
      return;
    }
    this.calls.current = call;
    this.hold();
    this.#place.take(true);
    const module = this.#modules.numberOf(call.entry);
    if (module !== undefined) {
      this.#begin(call, module);
      return;
    }
    this.state = 'loading';
    this.#modules.load(call.entry);
    this.#clock.endIn(this.#watch.patience, () => blockedError(call.handlerName));
  }

  /** Its call was ended from outside, in the step that calls this. What it loads it goes on with, for the next call. */
  ended(call: PoolCall, reason: Error): void {
    if (call !== this.calls.current) return this.calls.ended(call, reason);
    if (this.state === 'loading') {
      this.calls.current = null;
      return;
    }
    this.#watch.withdraw(call);
    this.#drain(call);
    call.part?.cancel(reason);
    this.#host.takeBack(this.calls.takeAll());
  }

  decide(call: PoolCall): void {
    if (call.number > 0 && !this.#watch.withdraw(call)) this.#watch.look(call);
  }

  timeUp(call: PoolCall): Overrun | null {
    // What it loads has a limit of its own: it is from when the call is taken that its time runs.
    if (this.state === 'loading') return null;
    if (!this.#isAtWork(call)) {
      if (this.calls.current === call) this.held(call);
      return null;
    }
    const { isHere, place } = this.#seat;
    if (!isHere && this.#watch.takenAt(call) !== null) {
      const ping = (answered: () => void): void => this.#lines.ping(call.bus, answered);
      return new Overrun(call, { ...place, ping, isAtWork: () => this.#isAtWork(call) });
    }
    call.timeOut(null);
    return null;
  }

  /** What it is doing; null if it has nothing to do, or nobody knows. */
  async whereIs(): Promise<WhereIs | null> {
    const { isHere, place } = this.#seat;
    const isBusy = this.calls.current !== null && this.state === 'busy' && !this.#place.awaiting;
    return isBusy && !isHere ? whereIs(place.threadId) : null;
  }

  /** Ends the thread, its hooks first if it isn't blocked, or not up yet; a call that it has fails with the error. @returns once it is gone */
  async stop(error: Error): Promise<void> {
    this.calls.fail(error);
    if (this.state === 'gone') return;
    await new Promise<void>((resolve) => {
      this.#onGone = resolve;
      this.#end(error, true);
    });
  }

  /** Reads what has come. @returns whether the call's function still goes on */
  #isAtWork(call: PoolCall): boolean {
    this.#seat.readAll();
    return this.calls.current === call && !this.#watch.hasReturned(call);
  }

  #read(message: ToPool): void {
    if (Array.isArray(message)) this.#lines.read(message);
    else if (message.news === 'finishing') this.#ending.finishing();
    else if (message.news === 'finished') this.#ending.finished();
    else if (this.state !== 'ending' && this.state !== 'gone') this.#modules.hear(message);
  }

  loaded(module: number | null): void {
    const call = this.calls.current;
    if (module === null || call === null) this.#rest();
    else this.#begin(call, module);
  }

  notLoaded(entry: string, error: unknown): void {
    if (this.state === 'starting') {
      this.#end(preloadError(entry, error));
      return;
    }
    const call = this.calls.current;
    this.calls.current = null;
    call?.fail(error);
    this.#rest();
  }

  /** It has nothing else to do: it gets the call at once. */
  #begin(call: PoolCall, module: number): void {
    this.state = 'busy';
    this.useful = true;
    this.calls.sendNow(call, module);
    if (this.calls.current === call) this.#watch.follow(call);
  }

  /** It has begun with what it was given ahead, or will when it comes to it. */
  #next(at: number): void {
    const next = this.calls.next();
    if (next === null) return this.#rest(at);
    if (this.state === 'ending' || this.state === 'gone') return;
    this.#waits.stop();
    this.#place.await(false);
    this.#place.take(true);
    this.#watch.follow(next);
    if (next.state === 'settled') this.#drain(next);
    else this.state = 'busy';
    this.#host.advanced(this);
  }

  #drain(call: PoolCall): void {
    this.state = 'draining';
    this.#clock.endBlockedIn(grace, () => blockedError(call.handlerName));
  }

  /** The handler awaits an event, goes on, or has ended and leaves events to be waited for. */
  #suspended(awaiting: boolean): void {
    const call = this.calls.current;
    if (call === null) return;
    call.suspended(awaiting, this.#watch.hasReturned(call));
    this.#place.await(awaiting);
    this.#place.take(!awaiting);
    if (awaiting) {
      this.#waits.start(call);
      this.#host.takeBack(this.calls.takeAll());
    } else this.#waits.stop();
    this.#host.changed();
  }

  #rest(at: number = monotonic()): void {
    if (this.state === 'ending' || this.state === 'gone') return;
    const starts = this.state === 'starting';
    this.#waits.stop();
    this.#place.await(false);
    this.#place.take(false, at);
    this.state = 'idle';
    this.idleSince = at;
    if (starts) this.#host.up(this);
    this.#host.idle(this);
    // It may have got the next call meanwhile, or get it before long: to let go and hold again costs as much as many a call.
    if (!this.#watch.looking) this.quiet();
  }

  quiet(): void {
    if (this.state === 'idle') this.#seat.letGo();
  }

  /** Ends it; its call goes to another if it hasn't begun, else it fails with the error. */
  #end(error: Error, orderly = false): void {
    const { state } = this;
    if (state === 'ending' || state === 'gone') return;
    this.state = 'ending';
    this.#seat.ending(reasonOf(error), state === 'busy' || state === 'draining' ? 1 : 0);
    this.#lose(state, error);
    if (orderly && state !== 'starting') this.#ending.ask(state === 'idle');
    else this.#ending.make();
  }

  /** The carrier has ended, asked to or not. */
  #died(end: CarrierEnd): void {
    const { state } = this;
    if (state !== 'ending' && state !== 'gone') {
      this.state = 'ending';
      const call = this.calls.current;
      this.#seat.ending('crashed', state === 'busy' || state === 'draining' ? 1 : 0);
      this.#seat.readAll();
      const error = deathError(state, this.#modules.loading, call?.handlerName ?? null, end);
      if (call === null && state !== 'starting' && state !== 'loading') this.#host.diedIdle(error);
      this.#lose(state, error);
      this.#seat.end();
    }
    this.#gone();
  }

  #lose(state: PoolThread['state'], error: Error): void {
    this.#clock.stop();
    // It is there until it is gone: also one that had nothing to do, or awaited, takes a place for so long.
    this.#place.take(true);
    this.#place.await(false);
    this.#host.ending(this);
    const call = this.calls.current;
    const begun = state === 'loading' ? this.#modules.begun : call !== null && !this.#watch.withdraw(call);
    // When and where it has begun is told with its end.
    this.#watch.lose(state === 'loading' ? null : call);
    this.#host.takeBack(this.calls.lose(error));
    if (call !== null && call.state !== 'settled' && !begun) {
      // Before its part fails with all others.
      this.calls.current = null;
      if (!this.#host.again(call)) call.fail(error);
    }
    this.#lines.fail(error);
    this.calls.current?.fail(error);
    this.calls.current = null;
    if (state === 'starting') this.#host.startFailed(this, error);
    this.#host.changed();
  }

  #gone(): void {
    if (this.state === 'gone') return;
    this.state = 'gone';
    this.#clock.stop();
    this.#place.take(false);
    this.#host.gone(this);
    this.#onGone?.();
  }
}
