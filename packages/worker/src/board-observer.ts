import type { EventBus } from '@threadbus/core';
import { busEngine, type HandlerRun, type Lifecycle, lifecycleOf, startedAtOf } from '@threadbus/core/internal';
import type { BoardWriter } from './board.ts';

interface Place {
  readonly slot: number;
  /** The event came with the slot itself; else it descends from one that did. */
  readonly own: boolean;
}

const nowhere: Place = { slot: -1, own: false };

/** Keeps the board up to date with what a bus of this thread does. */
export class BoardObserver {
  readonly #board: BoardWriter;
  readonly #places = new WeakMap<Lifecycle, Place>();

  constructor(bus: EventBus, board: BoardWriter) {
    this.#board = board;
    busEngine(bus).loop.onHolder = (run) => this.#held(run);
    bus.observe({
      dispatched: (event) => this.#inherit(lifecycleOf(event)),
      started: (event) => this.#started(lifecycleOf(event)),
      handlerStarted: (_event, { lifecycle, timeout }) => this.#show(lifecycle, timeout),
    });
  }

  /** An event came over the link. */
  arrived(lifecycle: Lifecycle, slot: number): void {
    this.#places.set(lifecycle, { slot, own: true });
  }

  /** What a handler dispatches is shown under the event of the handler. */
  #inherit(lifecycle: Lifecycle): void {
    if (this.#places.has(lifecycle) || lifecycle.parent === null) return;
    const { slot } = this.#places.get(lifecycle.parent.lifecycle) ?? nowhere;
    this.#places.set(lifecycle, { slot, own: false });
  }

  #started(lifecycle: Lifecycle): void {
    const { slot, own } = this.#places.get(lifecycle) ?? nowhere;
    if (own && lifecycle.results.length > 0) this.#board.markStarted(slot);
  }

  #held(run: HandlerRun | null): void {
    if (run === null) this.#board.release();
    else this.#show(run.runner.lifecycle, run.runner.timeout, startedAtOf(run.runner));
  }

  #show(lifecycle: Lifecycle, timeout: number | null, startedAt: number = Date.now()): void {
    const place = this.#places.get(lifecycle) ?? nowhere;
    this.#board.hold({ ...place, startedAt: startedAt === 0 ? Date.now() : startedAt, timeout: timeout ?? 0 });
  }
}
