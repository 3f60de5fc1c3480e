import { AsyncLocalStorage } from 'node:async_hooks';
import { type BaseEvent, type EventResult, instrument, type RunningBus } from '@threadbus/core';
import { completedAtOf, startedAtOf } from '@threadbus/core/internal';
import { registerPortableContext } from '@threadbus/worker';
import { Budget } from '../basics/budget.ts';
import type { Place, Report } from '../basics/messages.ts';
import type { Redact } from '../basics/redact.ts';
import { Draft } from './draft.ts';
import { KeptEvents } from './kept-events.ts';

/** Milliseconds from which on a handler is shown, whether its event is or not. */
const slow = 1000;

/**
 * Watches the events of this thread as long as it lives, and picks those that are shown.
 *
 * Which ones is decided once for a whole tree, where its root is dispatched, and goes along with the async context: to
 * handlers, to the events that they dispatch, and over links to other threads and processes. What isn't picked costs a
 * look at that context. Payloads are not touched: they are told of when somebody asks.
 *
 * An event is told of as a whole, as it is at the moment, at most once in each `flush`, what went wrong first. Beyond the
 * budget what has changed waits, and is told in a later flush as it is then: so neither the number of records a second
 * nor what waits for them grows with what happens.
 */
export class Recorder {
  readonly budget: Budget;
  readonly events: KeptEvents = new KeptEvents();
  readonly #here: Place;
  readonly #redact: Redact;
  readonly #picked = new AsyncLocalStorage<boolean>();
  readonly #drafts = new WeakMap<BaseEvent, Draft>();
  /** What is to be told, that which has waited longest first. */
  readonly #changed = new Set<Draft>();
  readonly #trouble = new Set<Draft>();
  readonly #ends: readonly (() => void)[];
  #seen = 0;
  #skipped = 0;

  /** @param hub agents of several hubs in one thread don't mix what they pick */
  constructor(hub: string, here: Place, redact: Redact, records: number) {
    this.#here = here;
    this.#redact = redact;
    this.budget = new Budget(records);
    this.#ends = [
      registerPortableContext<boolean>({
        name: `threadbus.inspector.${hub}`,
        capture: () => this.#picked.getStore(),
        run: (picked, inside) => this.#picked.run(picked, inside),
      }),
      instrument({
        dispatch: (event, bus, go) => this.#dispatch(event, bus, go),
        handler: (event, result, go) => this.#handler(event, result, go),
        handlerEnded: (event, result) => this.#handlerEnded(event, result),
        completed: (event) => this.#completed(event),
      }),
    ];
  }

  end(): void {
    for (const end of this.#ends) end();
    this.#changed.clear();
    this.#trouble.clear();
  }

  /** What is to be told now; null if there is nothing. */
  flush(): Extract<Report, { kind: 'batch' }> | null {
    const records = [];
    for (const waiting of [this.#trouble, this.#changed]) {
      for (const draft of waiting) {
        if (!this.budget.send()) break;
        this.#trouble.delete(draft);
        this.#changed.delete(draft);
        records.push(draft.record);
      }
    }
    if (records.length === 0 && this.#seen === 0 && this.#skipped === 0) return null;
    const batch = { kind: 'batch', records, seen: this.#seen, skipped: this.#skipped } as const;
    this.#seen = 0;
    this.#skipped = 0;
    return batch;
  }

  #dispatch(event: BaseEvent, bus: RunningBus, go: () => void): void {
    this.#seen += 1;
    const around = this.#picked.getStore();
    if (!this.#isPicked(event, around)) {
      this.#skipped += 1;
      if (around === true) this.#picked.run(false, go);
      else go();
      return;
    }
    this.#draft(event, bus.name);
    if (around === true) go();
    else this.#picked.run(true, go);
  }

  /** @param around what was decided of the event whose handler dispatches it; undefined if nothing was */
  #isPicked(event: BaseEvent, around: boolean | undefined): boolean {
    const { roomForTree, roomForStray, roomForChild } = this.budget;
    if (around === undefined) return roomForStray || (roomForTree && event.event_parent_id === null);
    // A root that a handler has dispatched begins a tree of its own.
    return event.event_parent_id === null ? roomForTree : around && roomForChild;
  }

  #handler(event: BaseEvent, result: EventResult, go: () => void): void {
    const around = this.#picked.getStore();
    // One that has come over a link, or was dispatched before anybody looked, has no draft yet.
    const { roomForChild, roomForStray } = this.budget;
    const known = around === true ? this.#drafts.get(event) : undefined;
    if (known === undefined && !(around === true ? roomForChild : around === undefined && roomForStray)) {
      go();
      return;
    }
    const draft = known ?? this.#draft(event, null);
    draft.called(result);
    this.#changes(draft);
    if (around === true) go();
    else this.#picked.run(true, go);
  }

  #handlerEnded(event: BaseEvent, result: EventResult): void {
    const known = this.#drafts.get(event);
    const isTrouble = (known !== undefined || this.budget.roomForTrouble) && isWrongOrSlow(result);
    if (known === undefined && !isTrouble) return;
    const draft = known ?? this.#draft(event, null);
    draft.ended(result, this.#here, this.#redact);
    this.#changes(draft);
    if (!isTrouble) return;
    this.#trouble.add(draft);
    this.events.addWrong(event);
    this.budget.spendTrouble();
  }

  #completed(event: BaseEvent): void {
    const draft = this.#drafts.get(event);
    if (draft === undefined) return;
    draft.completed(event, this.#here, this.#redact);
    this.#changes(draft);
  }

  #draft(event: BaseEvent, bus: string | null): Draft {
    const draft = new Draft(event, bus);
    this.#drafts.set(event, draft);
    this.events.add(event);
    this.#changes(draft);
    return draft;
  }

  #changes(draft: Draft): void {
    if (this.#changed.has(draft)) return;
    this.#changed.add(draft);
    this.budget.spend();
  }
}

/** Shown whether its event is picked or not. */
function isWrongOrSlow(result: EventResult): boolean {
  return result.status === 'error' || completedAtOf(result) - startedAtOf(result) >= slow;
}
