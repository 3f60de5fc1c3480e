import type { EventResult } from '@threadbus/core';
import { decodeThrown, sendCall } from '@threadbus/link/internal';
import type { CarrierEnd } from './carrier.ts';
import { monotonic } from '../thread/monotonic.ts';
import { type WhereIs, whereIs } from '../thread/stuck-at.ts';
import { Overrun } from './overrun.ts';
import type { CallHolder, PoolCall } from './pool-call.ts';
import { PoolLines } from './pool-lines.ts';
import { targetOf, type ThreadNews, type ToPool } from './pool-port.ts';
import { TakeWatch, takeTime } from './take-watch.ts';
import {
  blockedError,
  deathError,
  loadTimeoutError,
  preloadError,
  reasonOf,
  startTimeoutError,
  unreadableError,
} from './thread-errors.ts';
import { ThreadClock } from './thread-clock.ts';
import type { ThreadHost, ThreadOptions } from './thread-host.ts';
import { ThreadModules } from './thread-modules.ts';
import { ThreadPlace } from './thread-place.ts';
import { ThreadSeat } from './thread-seat.ts';
import { WaitWatch } from './wait-watch.ts';

/** Seconds for a thread to answer that its handler was ended. */
const grace = 0.2;
/** Seconds for a thread with a call to say that it ends in order: it is not blocked. */
const finishGrace = 0.5;
/** Seconds for the hooks of a thread that ends in order; they give up earlier. */
const finishTime = 1.2;
/** Seconds that a thread which is to end counts as there; in a native call it may take any time. */
const endTime = 1;

/**
 * One thread of a pool, for as long as it lives: one carrier, one port, one link for each bus that calls.
 *
 *   starting ──it says that it is up, and has loaded what is to be preloaded──▶ idle
 *   idle ──a call whose module it has──▶ busy ──the answer──▶ idle
 *   idle ──a call whose module it hasn't──▶ loading ──loaded──▶ busy, or idle if the call was ended meanwhile
 *   busy ──its call is ended from outside──▶ draining ──the answer──▶ idle
 *   any ──it dies──▶ gone;   any ──it is ended──▶ ending ──it is gone──▶ gone
 *
 * It has one call at a time, and each state has its clock:
 * - *starting*, *loading*: `startTimeout` for each step; then it is ended, with WorkerStartError for its call. That it
 *   begins to load it has to say as quickly as it has to take a call.
 * - *busy*: the call has to be taken within a second, or a fifth of one if functions of ended handlers are known to go
 *   on in the thread. If it isn't, something that has settled long ago blocks the thread: it is ended, and the call goes
 *   to another. From then on the call has a clock of its own. While its handler awaits an event, or has returned and
 *   leaves events to be waited for, the thread needs no place.
 * - *draining*: a fifth of a second to answer, or to say that it waits for events that the handler has dispatched. It
 *   needs no more for that than its event loop, whatever the function of the ended handler does: one that doesn't is
 *   blocked by it, and ended. One that waits is pinged each second, and ended if it doesn't answer within another; so is
 *   one that is *busy* and waits, if its handler has returned or functions of ended handlers go on in it.
 * - *ending*: if the pool was stopped, or it had nothing to do, it is asked to end in order: half a second, or one if it
 *   was idle, to say that it does so, then its hooks have a second. After that, or at once if it was ended for what it
 *   did, it is made to end: a second, after which nobody waits for it any more.
 * - *idle*: the pool ends it after `idleTimeout`.
 *
 * What a thread has said before it died is read before its end is acted upon: a call that was answered is answered.
 */
export class PoolThread implements CallHolder {
  state: 'starting' | 'idle' | 'loading' | 'busy' | 'draining' | 'ending' | 'gone' = 'starting';
  /** In monotonic seconds, if it is idle. */
  idleSince = 0;
  /** It has done something since it started. */
  useful = false;
  readonly #host: ThreadHost<PoolThread>;
  readonly #options: ThreadOptions;
  readonly #clock = new ThreadClock((error) => this.#end(error));
  readonly #watch = new TakeWatch((call) => this.#clock.endNow(() => blockedError(call.handlerName)));
  readonly #seat: ThreadSeat;
  readonly #lines: PoolLines;
  readonly #waits: WaitWatch;
  readonly #modules = new ThreadModules((message) => this.#seat.port.postMessage(message));
  #call: PoolCall | null = null;
  readonly #place: ThreadPlace;
  #onGone: (() => void) | null = null;

  /** @throws what keeps it from starting */
  constructor(host: ThreadHost<PoolThread>, options: ThreadOptions) {
    this.#host = host;
    this.#options = options;
    this.#place = new ThreadPlace(host);
    const owner = {
      read: (message: ToPool) => this.#read(message),
      unreadable: (cause: unknown) => this.#end(unreadableError(cause)),
      died: (end: CarrierEnd) => this.#died(end),
    };
    this.#seat = new ThreadSeat(owner, this.#watch.buffer, options);
    this.#lines = new PoolLines(this.#seat.port, {
      suspended: (awaiting) => this.#suspended(awaiting),
      lost: owner.unreadable,
    });
    this.#waits = new WaitWatch(this.#lines, this.#clock, () => this.state === 'draining' || this.#watch.hasMore);
    this.#place.take(true);
    this.#clock.endIn(options.startTimeout, () => startTimeoutError(options.startTimeout));
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

  /** Takes over a call; only when idle. */
  give(call: PoolCall): void {
    this.#call = call;
    call.give(this, this.#seat.place);
    this.hold();
    this.#place.take(true);
    const module = this.#modules.numberOf(call.entry);
    if (module !== undefined) {
      this.#send(call, module);
      return;
    }
    this.state = 'loading';
    this.#modules.load(call.entry);
    this.#clock.endIn(this.#watch.patience, () => blockedError(call.handlerName));
  }

  /** Its call was ended from outside, in the step that calls this. What it loads it goes on with, for the next call. */
  ended(call: PoolCall, reason: Error): void {
    if (this.state === 'loading') {
      this.#call = null;
      return;
    }
    this.#watch.withdraw();
    this.state = 'draining';
    call.part?.cancel(reason);
    this.#clock.endIn(grace, () => blockedError(call.handlerName));
  }

  decide(): void {
    if (this.state === 'busy' && !this.#watch.withdraw()) this.#watch.look();
  }

  timeUp(call: PoolCall): Overrun | null {
    if (!this.#isAtWork(call)) return null;
    const { isHere, place } = this.#seat;
    if (!isHere && this.#watch.takenAt !== null) {
      const ping = (answered: () => void): void => this.#lines.ping(call.bus, answered);
      return new Overrun(call, { ...place, ping, isAtWork: () => this.#isAtWork(call) });
    }
    call.timeOut(null);
    return null;
  }

  /** What it is doing; null if it has nothing to do, or nobody knows. */
  async whereIs(): Promise<WhereIs | null> {
    const { isHere, place } = this.#seat;
    const isBusy = this.#call !== null && this.state === 'busy' && !this.#place.awaiting;
    return isBusy && !isHere ? whereIs(place.threadId) : null;
  }

  /** Ends the thread, its hooks first if it isn't blocked, or not up yet; a call that it has fails with the error. @returns once it is gone */
  async stop(error: Error): Promise<void> {
    this.#call?.part?.cancel(error);
    this.#call?.fail(error);
    if (this.state === 'gone') return;
    await new Promise<void>((resolve) => {
      this.#onGone = resolve;
      this.#end(error, true);
    });
  }

  /** Reads what has come. @returns whether the call's function still goes on */
  #isAtWork(call: PoolCall): boolean {
    this.#seat.readAll();
    return this.#call === call && !this.#watch.hasReturned;
  }

  #read(message: ToPool): void {
    if (Array.isArray(message)) this.#lines.read(message);
    else if (message.news === 'finishing') this.#finishing();
    else if (message.news === 'finished') this.#leave();
    else if (this.state !== 'ending' && this.state !== 'gone') this.#hear(message);
  }

  #hear(message: ThreadNews): void {
    if (message.news === 'up') this.#preload();
    else if (message.news === 'loading') this.#begun();
    else if (message.news === 'loaded') this.#loaded(message.module);
    else if (message.news === 'failed') this.#notLoaded(decodeThrown(message.error));
  }

  /** Loads what is to be there before the first call, one after the other. */
  #preload(): void {
    const entry = this.#options.preload[this.#modules.size];
    if (entry === undefined) this.#rest();
    else this.#modules.load(entry);
  }

  #begun(): void {
    const { loading } = this.#modules;
    if (loading === null) return;
    this.#modules.begun = true;
    const { startTimeout } = this.#options;
    this.#clock.endIn(startTimeout, () => loadTimeoutError(loading, startTimeout));
  }

  #loaded(module: number): void {
    this.#modules.loaded(module);
    this.#clock.stop();
    const call = this.#call;
    if (this.state === 'starting') this.#preload();
    else if (call === null) this.#rest();
    else this.#send(call, module);
  }

  #notLoaded(error: unknown): void {
    const { loading } = this.#modules;
    this.#modules.failed();
    if (this.state === 'starting') {
      this.#end(preloadError(loading ?? 'a module', error));
      return;
    }
    const call = this.#call;
    this.#call = null;
    call?.fail(error);
    this.#rest();
  }

  #send(call: PoolCall, module: number): void {
    this.state = 'busy';
    const target = { number: targetOf(this.#watch.give(call), module) };
    const { outgoing } = this.#lines.of(call.bus);
    const part = sendCall(outgoing, target, call.run, call.context, (result) => this.#answered(call, result));
    // An event that can't be sent has its answer by now, and this thread perhaps another call.
    if (this.#call === call) call.part = part;
  }

  #answered(call: PoolCall, result: EventResult | undefined): void {
    if (this.#call !== call) return;
    this.#call = null;
    this.#watch.done();
    call.answer(result, this.#watch.takenAt);
    this.#rest();
  }

  /** The handler awaits an event, goes on, or has ended and leaves events to be waited for. */
  #suspended(awaiting: boolean): void {
    const call = this.#call;
    if (call === null) return;
    this.#place.await(awaiting);
    this.#place.take(!awaiting);
    if (awaiting) this.#waits.start(call);
    else this.#waits.stop();
    this.#host.changed();
  }

  #rest(): void {
    if (this.state === 'ending' || this.state === 'gone') return;
    const starts = this.state === 'starting';
    this.#waits.stop();
    this.#place.await(false);
    this.#place.take(false);
    this.state = 'idle';
    this.idleSince = monotonic();
    if (starts) this.#host.up(this);
    else this.useful = true;
    this.#host.idle(this);
    // It may have got the next call meanwhile.
    if (this.state === 'idle') this.#seat.letGo();
  }

  /** Ends it; its call goes to another if it hasn't begun, else it fails with the error. */
  #end(error: Error, orderly = false): void {
    const { state } = this;
    if (state === 'ending' || state === 'gone') return;
    this.state = 'ending';
    this.#seat.ending(reasonOf(error), state === 'busy' || state === 'draining' ? 1 : 0);
    this.#lose(state, error);
    if (!orderly || state === 'starting') {
      this.#leave();
      return;
    }
    this.#clock.callIn(state === 'idle' ? takeTime : finishGrace, () => this.#leave(), true);
    this.#seat.port.postMessage({ finish: true });
  }

  #finishing(): void {
    if (this.state === 'ending') this.#clock.callIn(finishTime, () => this.#leave(), true);
  }

  #leave(): void {
    if (this.state !== 'ending') return;
    this.#clock.callIn(endTime, () => this.#gone(), true);
    this.#seat.end();
  }

  /** The carrier has ended, asked to or not. */
  #died(end: CarrierEnd): void {
    const { state } = this;
    if (state !== 'ending' && state !== 'gone') {
      this.state = 'ending';
      const call = this.#call;
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
    const call = this.#call;
    const begun = state === 'loading' ? this.#modules.begun : !this.#watch.withdraw();
    // When and where it has begun is told with its end.
    if (state !== 'loading') this.#watch.look();
    if (call !== null && call.state !== 'settled' && !begun) {
      // Before its part fails with all others.
      this.#call = null;
      if (!this.#host.again(call)) call.fail(error);
    }
    this.#lines.fail(error);
    this.#call?.fail(error);
    this.#call = null;
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
