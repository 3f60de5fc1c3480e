import type { EventBus } from '@threadbus/core';
import type { Arrival } from '@threadbus/link/internal';
import {
  type HandlerRun,
  type Lifecycle,
  lifecycleOf,
  type Moment,
  monotonic as ownMonotonic,
  monotonicAt,
  type RunWatch,
  soon,
  watchRuns,
} from '@threadbus/core/internal';
import type { BoardWriter, HolderKind } from './board.ts';
import { monotonic } from './monotonic.ts';
import { RunningHandlers } from './running-handlers.ts';

/**
 * Keeps the board up to date with what the handlers of this thread do, on whichever bus they are.
 *
 * A handler that is being called holds the thread: if it blocks, it is known to be the one. So is the only one in
 * progress that doesn't await an event. Of several, the board shows the time at which all of them will have overrun.
 *
 *   called ──its function ends──▶ leaving, if its event came from the other side ──the answer is written──▶ gone
 *                                    ├──another handler is called──▶ gone
 *                                    └──the event is not complete in the next microtask: it waits for others──▶ gone
 *
 * What a handler gives is read when the answer is written, and may block the thread as the handler itself: so the last
 * one is shown until then.
 */
export class BoardObserver implements RunWatch {
  readonly #board: BoardWriter;
  readonly #onUnwatched: () => void;
  /** Ways on which events came back that had been here before: they show under each. Null until there is one. */
  #returned: WeakMap<Lifecycle, Arrival[]> | null = null;
  readonly #running = new RunningHandlers();
  /** Handlers that await, with the time of their start. Null until there is one. */
  #suspended: Map<HandlerRun, number> | null = null;
  /** Its function has ended and its answer is not written; it counts as running. */
  #leaving: HandlerRun | null = null;
  #looksSoon = false;
  /** The latest time, in monotonic milliseconds, at which one of the running handlers has overrun. */
  #latest = 0;

  /** @param onUnwatched a handler starts and nobody looks at the board */
  constructor(bus: EventBus, board: BoardWriter, onUnwatched: () => void) {
    this.#board = board;
    this.#onUnwatched = onUnwatched;
    watchRuns(this);
    bus.observe({
      dispatched: (event) => {
        if (slotOf(lifecycleOf(event)) < 0) board.addBorn(1);
      },
      // A handler marks its event when it is called. A forward, which starts an event too, has begun when it is told.
      handlerStarted: (event, { status }) => {
        if (status !== 'pending') this.#markStarted(lifecycleOf(event));
      },
      completed: (event) => {
        const lifecycle = lifecycleOf(event);
        this.#returned?.delete(lifecycle);
        if (slotOf(lifecycle) < 0) board.addBorn(-1);
      },
    });
  }

  /** An event came over the link. */
  arrived(arrival: Arrival): void {
    const { lifecycle, number } = arrival;
    arrival.slot = number;
    if (arrival.brought) return;
    const ways = this.#ways(lifecycle);
    arrival.running = (shownArrival(lifecycle) ?? ways[0])?.running ?? 0;
    (this.#returned ??= new WeakMap()).set(lifecycle, [...ways, arrival]);
  }

  entered(run: HandlerRun, at: Moment): void {
    this.#leave();
    const startedAt = monotonicAt(at) + sharedAhead;
    this.#add(run, startedAt);
    this.#show(run, startedAt, null);
  }

  returned(run: HandlerRun): void {
    if (this.#running.size > 1 || !this.#running.has(run)) this.#showRest();
  }

  suspended(run: HandlerRun): void {
    const since = this.#running.since(run);
    if (since !== undefined) (this.#suspended ??= new Map()).set(run, since);
    this.#delete(run);
    this.#showRest();
  }

  resumed(run: HandlerRun): void {
    const since = this.#suspended?.get(run);
    this.#suspended?.delete(run);
    this.#add(run, since ?? monotonic() * 1000);
    this.#showRest();
  }

  settled(run: HandlerRun): void {
    this.#suspended?.delete(run);
    if (!this.#running.has(run)) return;
    if (shownArrival(run.runner.lifecycle) !== null) {
      this.#leave();
      this.#leaving = run;
      return;
    }
    this.#delete(run);
    this.#showRest();
  }

  /** Mostly its event is complete by now. One whose call has not returned is, too, but only after that. */
  told(run: HandlerRun): void {
    if (this.#leaving === run && !run.runner.lifecycle.settled) this.#lookSoon();
  }

  /** What was to be written has been. */
  written(): void {
    if (this.#leave()) this.#showRest();
  }

  /** @returns whether one was leaving */
  #leave(): boolean {
    const run = this.#leaving;
    if (run === null) return false;
    this.#leaving = null;
    this.#delete(run);
    return true;
  }

  /** One that waits for others has no answer yet. */
  #lookSoon(): void {
    if (this.#looksSoon) return;
    this.#looksSoon = true;
    soon(this.#look);
  }

  readonly #look = (): void => {
    this.#looksSoon = false;
    if (this.#leaving?.runner.lifecycle.settled === false) this.written();
  };

  #add(run: HandlerRun, startedAt: number): void {
    this.#running.add(run, startedAt);
    const { timeout } = run.runner;
    this.#latest = Math.max(this.#latest, timeout === null ? Infinity : startedAt + timeout * 1000);
    this.#count(run.runner.lifecycle, 1);
  }

  #delete(run: HandlerRun): void {
    if (!this.#running.delete(run)) return;
    if (this.#running.size === 0) this.#latest = 0;
    this.#count(run.runner.lifecycle, -1);
  }

  #count(lifecycle: Lifecycle, change: 1 | -1): void {
    const arrival = shownArrival(lifecycle);
    if (arrival !== null) this.#countOne(arrival, change);
    if (this.#returned !== null) for (const way of this.#ways(lifecycle)) this.#countOne(way, change);
  }

  #countOne(arrival: Arrival, change: 1 | -1): void {
    arrival.running += change;
    this.#board.markRunning(arrival.slot, arrival.running > 0);
  }

  #markStarted(lifecycle: Lifecycle): void {
    this.#board.markStarted(slotOf(lifecycle));
    for (const { slot } of this.#ways(lifecycle)) this.#board.markStarted(slot);
  }

  #ways(lifecycle: Lifecycle): readonly Arrival[] {
    return this.#returned?.get(lifecycle) ?? none;
  }

  #showRest(): void {
    const first = this.#running.first();
    if (first === undefined) this.#board.release();
    else this.#show(...first, this.#running.size === 1 ? null : this.#latest);
  }

  /** @param until when all of several running handlers will have overrun; null if `run` is the only one in question */
  #show(run: HandlerRun, startedAt: number, until: number | null): void {
    let watched: boolean;
    if (until === null) {
      const { slot, kind } = this.#origin(run.runner.lifecycle);
      watched = this.#board.hold(slot, kind, startedAt, run.runner.timeout ?? 0);
    } else {
      watched = this.#board.hold(-1, 'several', startedAt, until === Infinity ? 0 : (until - startedAt) / 1000);
    }
    if (!watched) this.#onUnwatched();
  }

  /** What a handler dispatches is shown under the event of the handler. */
  #origin(lifecycle: Lifecycle): { slot: number; kind: HolderKind } {
    let kind: HolderKind = 'own';
    for (let event: Lifecycle | undefined = lifecycle; event !== undefined; event = event.parent?.lifecycle) {
      const arrival = shownArrival(event) ?? this.#ways(event).find(({ slot }) => slot >= 0) ?? null;
      if (arrival !== null) return { slot: arrival.slot, kind };
      if (!event.awaited) kind = 'other';
      else if (kind === 'own') kind = 'awaited';
    }
    return { slot: -1, kind: 'other' };
  }
}

/** Milliseconds that the clock of all threads shows beyond this one's, which began with it: neither is ever set. */
const sharedAhead = monotonic() * 1000 - ownMonotonic();
const none: readonly Arrival[] = [];

/** How the event came into the thread, if the board shows it for that. */
function shownArrival(lifecycle: Lifecycle): Arrival | null {
  const arrival = lifecycle.extras.cameOver as Arrival | null;
  return arrival !== null && arrival.slot >= 0 ? arrival : null;
}

function slotOf(lifecycle: Lifecycle): number {
  return shownArrival(lifecycle)?.slot ?? -1;
}
