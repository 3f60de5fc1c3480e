import type { BaseEvent, EventResult, RunningBus } from '@threadbus/core';
import {
  activeHandler,
  completedAtOf,
  createdAtOf,
  lookOn,
  type Moment,
  now,
  type Onlooker,
  startedAtOf,
} from '@threadbus/core/internal';
import { type EventMark, registerEventMark } from '@threadbus/link/internal';
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
 * Which ones is decided once for a whole tree, where its root is dispatched, before anything is made for it:
 *
 * - A root is picked if the budget says so: each, or one in so many (`Sampling`).
 * - What a handler dispatches is picked if the handler's event is, as long as there is room at all.
 * - An event that comes over a link is picked if it was where it came from: it is marked. Over a link that has brought no
 *   mark yet nobody decides at the other end: there the event is a root.
 * - An event that is older than this time of looking was decided by nobody: its first call is like a root.
 * - What goes wrong, or takes long, is picked then, from a share of the budget of its own; what that has no room for is
 *   counted.
 *
 * Of what isn't picked nothing is made or kept: it costs a number, and a look-up at each of its steps. Payloads are not
 * touched: they are told of when somebody asks.
 *
 * An event is told of as a whole, as it is at the moment, at most once in each `flush`, what went wrong first. Beyond the
 * budget what has changed waits, and is told in a later flush as it is then: so neither the number of records a second
 * nor what waits for them grows with what happens.
 */
export class Recorder implements Onlooker, EventMark {
  readonly name: string;
  readonly budget: Budget;
  readonly events: KeptEvents = new KeptEvents();
  /** Of all that is picked. */
  readonly #drafts = new WeakMap<BaseEvent, Draft>();
  /** Links over which marks have come. */
  readonly #marking = new WeakSet();
  readonly #here: Place;
  readonly #redact: Redact;
  readonly #since: Moment = now();
  /** What is to be told, that which has waited longest first. */
  readonly #changed = new Set<Draft>();
  readonly #trouble = new Set<Draft>();
  readonly #ends: readonly (() => void)[];
  #seen = 0;
  #skipped = 0;
  #untold = 0;

  /** @param hub agents of several hubs in one thread don't mix what they pick */
  constructor(hub: string, here: Place, redact: Redact, records: number) {
    this.name = `threadbus.inspector.${hub}`;
    this.#here = here;
    this.#redact = redact;
    this.budget = new Budget(records);
    this.#ends = [registerEventMark(this), lookOn(this)];
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
        if (!this.budget.send(draft.weight)) break;
        this.#trouble.delete(draft);
        this.#changed.delete(draft);
        records.push(draft.record);
      }
    }
    const [seen, skipped, untold] = [this.#seen, this.#skipped, this.#untold];
    if (records.length === 0 && seen === 0 && untold === 0) return null;
    this.#seen = 0;
    this.#skipped = 0;
    this.#untold = 0;
    return { kind: 'batch', records, seen, skipped, untold };
  }

  dispatched(event: BaseEvent, bus: RunningBus): void {
    this.#seen += 1;
    if (!this.#isPicked(event)) {
      this.#skipped += 1;
      return;
    }
    const begin = performance.now();
    this.#changes(this.#draft(event, bus.name));
    this.budget.took(performance.now() - begin);
  }

  called(event: BaseEvent, result: EventResult): void {
    const draft = this.#drafts.get(event) ?? (createdAtOf(event) < this.#since ? this.#old(event) : undefined);
    if (draft === undefined) return;
    const begin = performance.now();
    draft.called(result);
    this.#changes(draft);
    this.budget.took(performance.now() - begin);
  }

  ended(event: BaseEvent, result: EventResult): void {
    const known = this.#drafts.get(event);
    const isTrouble = isWrongOrSlow(result);
    if (known === undefined && !isTrouble) return;
    if (known === undefined && !this.budget.takeTrouble()) {
      this.#untold += 1;
      return;
    }
    const begin = performance.now();
    const draft = known ?? this.#draft(event, null);
    draft.ended(result, this.#here, this.#redact);
    this.#changes(draft);
    if (isTrouble) {
      this.#trouble.add(draft);
      this.events.addWrong(event);
    }
    this.budget.took(performance.now() - begin);
  }

  completed(event: BaseEvent): void {
    const draft = this.#drafts.get(event);
    if (draft === undefined) return;
    const begin = performance.now();
    draft.completed(event, this.#here, this.#redact);
    this.#changes(draft);
    this.budget.took(performance.now() - begin);
  }

  /** The mark of what is picked. */
  of(event: BaseEvent): true | undefined {
    return this.#drafts.has(event) ? true : undefined;
  }

  arrived(event: BaseEvent, mark: unknown, link: object): void {
    if (mark !== undefined) this.#marking.add(link);
    if (this.#drafts.has(event)) return;
    if (mark === undefined ? !this.#marking.has(link) && this.budget.takeTree() : this.budget.roomForChild) {
      this.#draft(event, null);
    }
  }

  #isPicked(event: BaseEvent): boolean {
    if (event.event_parent_id === null) return this.budget.takeTree();
    const above = activeHandler.getStore()?.runner.lifecycle.event as BaseEvent | undefined;
    if (above !== undefined && this.#drafts.has(above)) return this.budget.roomForChild;
    return (above === undefined || createdAtOf(above) < this.#since) && this.budget.takeTree();
  }

  #old(event: BaseEvent): Draft | undefined {
    return this.budget.takeTree() ? this.#draft(event, null) : undefined;
  }

  /** @param bus null if the event was not dispatched here, or before anybody looked */
  #draft(event: BaseEvent, bus: string | null): Draft {
    const draft = new Draft(event, bus);
    this.#drafts.set(event, draft);
    this.events.add(event);
    return draft;
  }

  #changes(draft: Draft): void {
    if (this.#changed.has(draft)) return;
    this.#changed.add(draft);
    this.budget.spend(draft.weight);
  }
}

/** Shown whether its event is picked or not. */
function isWrongOrSlow(result: EventResult): boolean {
  return result.status === 'error' || completedAtOf(result) - startedAtOf(result) >= slow;
}
