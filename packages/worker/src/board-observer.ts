import type { EventBus } from '@threadbus/core';
import {
  type HandlerRun,
  type Lifecycle,
  lifecycleOf,
  type RunWatch,
  startedAtOf,
  watchRuns,
} from '@threadbus/core/internal';
import type { BoardWriter, HolderKind } from './board.ts';

/** Where an event that came over the link shows on the board. */
interface Place {
  /** One for each way on which it came. */
  readonly slots: number[];
  /** Handlers of it that are running. */
  running: number;
}

/**
 * Keeps the board up to date with what the handlers of this thread do, on whichever bus they are.
 *
 * A handler that is being called holds the thread: if it blocks, it is known to be the one. So is the only one in
 * progress that doesn't await an event. Of several, the board shows the time at which all of them will have overrun.
 */
export class BoardObserver implements RunWatch {
  readonly #board: BoardWriter;
  readonly #onUnwatched: () => void;
  readonly #places = new WeakMap<Lifecycle, Place>();
  /** With the time of their start, epoch milliseconds. */
  readonly #running = new Map<HandlerRun, number>();
  /** The latest time, in epoch milliseconds, at which one of the running handlers has overrun. */
  #latest = 0;

  /** @param onUnwatched a handler starts and nobody looks at the board */
  constructor(bus: EventBus, board: BoardWriter, onUnwatched: () => void) {
    this.#board = board;
    this.#onUnwatched = onUnwatched;
    watchRuns(this);
    bus.observe({
      dispatched: (event) => {
        if (!this.#places.has(lifecycleOf(event))) board.addBorn(1);
      },
      // Forwards start an event too.
      started: (event) => {
        const lifecycle = lifecycleOf(event);
        if (lifecycle.results.length > 0) this.#markStarted(lifecycle);
      },
      completed: (event) => {
        // Its slots may be another event's by the time it is dispatched again.
        if (!this.#places.delete(lifecycleOf(event))) board.addBorn(-1);
      },
    });
  }

  /** An event came over the link. */
  arrived(lifecycle: Lifecycle, slot: number): void {
    const place = this.#places.get(lifecycle);
    if (place === undefined) this.#places.set(lifecycle, { slots: [slot], running: 0 });
    else place.slots.push(slot);
  }

  entered(run: HandlerRun): void {
    const now = Date.now();
    this.#add(run, now);
    this.#markStarted(run.runner.lifecycle);
    this.#show(run, now, null);
  }

  returned(run: HandlerRun): void {
    if (this.#running.size > 1 || !this.#running.has(run)) this.#showRest();
  }

  suspended(run: HandlerRun): void {
    this.#delete(run);
    this.#showRest();
  }

  resumed(run: HandlerRun): void {
    this.#add(run, startedAtOf(run.runner));
    this.#showRest();
  }

  settled(run: HandlerRun): void {
    if (!this.#running.has(run)) return;
    this.#delete(run);
    this.#showRest();
  }

  #add(run: HandlerRun, startedAt: number): void {
    this.#running.set(run, startedAt);
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
    const place = this.#places.get(lifecycle);
    if (place === undefined) return;
    place.running += change;
    for (const slot of place.slots) this.#board.markRunning(slot, place.running > 0);
  }

  #markStarted(lifecycle: Lifecycle): void {
    for (const slot of this.#places.get(lifecycle)?.slots ?? []) this.#board.markStarted(slot);
  }

  #showRest(): void {
    const [first] = this.#running;
    if (first === undefined) this.#board.release();
    else this.#show(...first, this.#running.size === 1 ? null : this.#latest);
  }

  /** @param until when all of several running handlers will have overrun; null if `run` is the only one in question */
  #show(run: HandlerRun, startedAt: number, until: number | null): void {
    const { slot, kind } = this.#origin(run.runner.lifecycle);
    const watched =
      until === null
        ? this.#board.hold({ slot, kind, startedAt, timeout: run.runner.timeout ?? 0 })
        : this.#board.hold({
            slot: -1,
            kind: 'several',
            startedAt,
            timeout: until === Infinity ? 0 : (until - startedAt) / 1000,
          });
    if (!watched) this.#onUnwatched();
  }

  /** What a handler dispatches is shown under the event of the handler. */
  #origin(lifecycle: Lifecycle): { slot: number; kind: HolderKind } {
    let kind: HolderKind = 'own';
    for (let event: Lifecycle | undefined = lifecycle; event !== undefined; event = event.parent?.lifecycle) {
      const slot = this.#places.get(event)?.slots[0];
      if (slot !== undefined) return { slot, kind };
      if (!event.awaited) kind = 'other';
      else if (kind === 'own') kind = 'awaited';
    }
    return { slot: -1, kind: 'other' };
  }
}
