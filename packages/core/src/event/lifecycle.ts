import { type Moment, never, now } from '../basics/clock.ts';
import { cancelInTurn } from './cancel-in-turn.ts';
import * as parts from './life-parts.ts';
import { extrasOf, type LifeExtras, noExtras } from './life-extras.ts';
import { lifeWatch, reopened } from './life-watch.ts';
import { coverAll } from './cover.ts';
import { listOf, type SmallList } from '../basics/small-list.ts';
import { hasMember, membersOf, type SmallSet, withMember, withoutMember } from '../basics/small-set.ts';

/**
 * The life of one event in this thread.
 *
 *   pending ──first handler starts, or first part is done──▶ started ──nothing open──▶ completed
 *
 * Open are (1) the event's parts, one for each bus that it was handed to, local or in another thread, until all its
 * handlers there have settled, and (2) its children, which the handlers dispatched, until each of them is completed.
 * All counting happens here: a part calls `attach` once and `partDone` once, a child is counted from `dispatched`
 * until its own completion. When both counts are zero the event is *finished*: parts with a log write that down, and
 * each of them is open again until it says `recorded`. With nothing to record, or all of it recorded, the event is
 * completed, and in the same step its waits settle and its parent is counted down. History plays no role in any of this.
 *
 * What waits for what: a wait is for completion (or for one result, settled through `release`). A wait made inside a
 * handler makes the event *awaited*, which covers every part it has or gets, and each child as soon as the handler
 * that dispatched it has settled: invariant: of an awaited event, every incomplete child of a settled handler is
 * awaited too. Awaited parts run ahead of their bus's queue.
 */
export type EventStatus = 'pending' | 'started' | 'completed';

export type Runner = parts.RunnerOf<Lifecycle>;
export type Part = parts.PartOf<Lifecycle>;
export type Wait = parts.WaitOf<Lifecycle>;

const noRunners: readonly Runner[] = [];
let dispatches = 0;
/** Waits in this thread that `isForeign` is true of. */
let foreignWaits = 0;

export class Lifecycle {
  /** The event itself; an object here, because events are built upon this. */
  readonly event: object;
  status: EventStatus = 'pending';
  startedAt: Moment = never;
  completedAt: Moment = never;
  /** How many incomplete ancestors the event had when it was dispatched. */
  depth = 0;
  /** Order of first dispatch in this thread; 0 = never dispatched. */
  sequence = 0;
  /** The handler that dispatched the event, as long as its event waits for this one. */
  parent: Runner | null = null;
  awaited = false;
  extras: Readonly<LifeExtras<Lifecycle>> = noExtras;
  #firstPart: Part | null = null;
  #lastPart: Part | null = null;
  /** The first of those that haven't been told `delivered`. */
  #undelivered: Part | null = null;
  #results: SmallList<Runner> = noRunners;
  #openParts = 0;
  #children = 0; // Twice the open ones, and one if there has ever been any.
  #waits: SmallSet<Wait> = null;

  constructor(event: object) {
    this.event = event;
  }

  get lifecycle(): this {
    return this;
  }

  get settled(): boolean {
    return this.status === 'completed';
  }

  /** True while some bus works on it or it waits for children. */
  get open(): boolean {
    return this.#openParts > 0 || this.#children > 1;
  }

  /** Some bus works on it: its handlers there have not all settled. */
  get atWork(): boolean {
    return this.#openParts > 0;
  }

  /** Children that it waits for. */
  get openChildren(): number {
    return this.#children >> 1;
  }

  /** All that waits for it. */
  get waits(): Iterable<Wait> {
    return membersOf(this.#waits);
  }

  /** One for each bus that it was handed to, as long as it isn't completed. */
  get parts(): readonly Part[] {
    const all: Part[] = [];
    for (let part = this.#firstPart; part !== null; part = part.nextPart) all.push(part);
    return all;
  }

  /** Whether any of them is such a one. */
  somePart(isSuch: (part: Part) => boolean): boolean {
    for (let part = this.#firstPart; part !== null; part = part.nextPart) if (isSuch(part)) return true;
    return false;
  }

  /** In order of arrival at a bus, then of registration. */
  get results(): readonly Runner[] {
    return listOf(parts.runnersOf(this.#results, this.#firstPart));
  }

  /** What another thread says of an event that is completed there, and here if it ever came; or a record of long ago. */
  restore(
    startedAt: Moment,
    completedAt: Moment,
    results: readonly Runner[],
    recorded: 'started' | 'completed' | null = null,
  ): void {
    if (this.sequence === 0 && recorded === null) {
      dispatches += 1;
      this.sequence = dispatches;
    }
    this.status = recorded ?? 'completed';
    this.startedAt = startedAt;
    this.completedAt = completedAt;
    this.#results = results;
    this.extras.onResults?.();
  }

  /** First dispatch; from here on `parent`'s event waits for this one. */
  dispatched(parent: Runner | null): void {
    dispatches += 1;
    this.sequence = dispatches;
    if (parent === null || parent.settled) return;
    this.parent = parent;
    this.depth = parent.lifecycle.depth + 1;
    parent.lifecycle.#children = (parent.lifecycle.#children + 2) | 1;
  }

  /** First arrival from another thread, under an ancestor of which only that much is known here. */
  descends(above: Lifecycle): void {
    if (above.settled) return;
    extrasOf(this).above = above;
    this.depth = above.depth + 1;
  }

  /** The event was handed to a bus. One that was completed is open again, for this part alone. */
  attach(part: Part): void {
    if (this.settled) {
      this.status = 'started';
      this.completedAt = never;
      reopened.add(this.event);
    }
    if (this.#lastPart === null) this.#firstPart = part;
    else this.#lastPart.nextPart = part;
    this.#lastPart = part;
    this.#undelivered ??= part;
    this.#openParts += 1;
    this.extras.cancellation?.attached();
  }

  /** The first handler of some part starts, or is now known to have started: in another thread it may have been earlier. */
  start(at: Moment = now()): void {
    if (this.status === 'started' && at >= this.startedAt) return;
    if (this.settled) return;
    this.status = 'started';
    this.startedAt = at;
  }

  /** All handlers of one part have settled; a child may have completed after that, by what the clock has shown since. */
  partDone(at: Moment = now()): void {
    this.start(at);
    this.#openParts -= 1;
    if (this.#openParts > 0) return;
    Lifecycle.#deliver(this);
    if (this.#children < 2) Lifecycle.#complete(this, this.#children === 0 ? at : now());
  }

  /** A log has written that the event was finished at that time. */
  recorded(at: Moment): void {
    this.#openParts -= 1;
    if (this.#openParts > 0) return;
    if (this.#undelivered === null) {
      if (this.#children < 2) Lifecycle.#settleAll(this, at);
      return;
    }
    // Meanwhile it was dispatched again, to a further bus, and is finished there too.
    Lifecycle.#deliver(this);
    if (this.#children < 2) Lifecycle.#complete(this, now());
  }

  /** Ends the waits for completion, which can't come for now; the event stays as it is. */
  refuseWaits(error: Error): void {
    for (const wait of [...membersOf(this.#waits)]) wait.fail?.(error);
  }

  // Static, because an instance with private methods has a field more.
  static #deliver(lifecycle: Lifecycle): void {
    while (lifecycle.#undelivered !== null) {
      const part = lifecycle.#undelivered;
      lifecycle.#undelivered = part.nextPart;
      part.delivered();
    }
  }

  /** One handler has settled: nothing can be added to its children any more. */
  runnerSettled(runner: Runner): void {
    if (!this.awaited) return;
    for (const child of runner.children) if (child.parent === runner) child.cover();
  }

  addWait(wait: Wait): void {
    this.#waits = withMember(this.#waits, wait);
    if (parts.isForeign(wait, this)) foreignWaits += 1;
  }

  /** Ends one wait before completion. */
  release(wait: Wait): void {
    if (!hasMember(this.#waits, wait)) return;
    this.#waits = withoutMember(this.#waits, wait);
    if (parts.isForeign(wait, this)) foreignWaits -= 1;
  }

  /** The handler waits for the event. */
  awaitedBy(runner: Runner): boolean {
    for (const wait of membersOf(this.#waits)) if (wait.runner === runner) return true;
    return false;
  }

  /** Someone other than `runner` still waits for the event. */
  awaitedByOthers(runner: Runner): boolean {
    for (const wait of membersOf(this.#waits)) {
      if (wait.silent === true) continue;
      if (wait.runner === null || (wait.runner !== runner && !wait.runner.settled)) return true;
    }
    return false;
  }

  /** A handler awaits the event: run all that its completion needs ahead of the queues. */
  cover(): void {
    coverAll(this);
  }

  /**
   * Settles what is unfinished on every bus; the event then completes with its children.
   */
  cancel(cause: unknown): void {
    cancelInTurn(this, cause);
  }

  /** The event is finished; if nothing is to be written down, it is completed. */
  static #complete(finished: Lifecycle, at: Moment): void {
    const unlogged = Lifecycle.#finish(finished, at);
    if (unlogged !== null) Lifecycle.#settleAll(unlogged, at);
  }

  /** The step from started to completed, and up to the ancestors that it completes. */
  static #settleAll(first: Lifecycle, at: Moment): void {
    let next: Lifecycle | null = first;
    let time = at;
    while (next !== null) {
      const { parent }: Lifecycle = next;
      Lifecycle.#settle(next, time);
      const above: Lifecycle | null = parent === null ? null : Lifecycle.#childDone(parent.lifecycle);
      if (above === null) return;
      // The child may have been finished before the parent's own handlers were, and recorded after.
      time = now();
      next = Lifecycle.#finish(above, time);
    }
  }

  /** Has ends written down, upwards as far as that finishes parents. @returns the first of them without a log, if any */
  static #finish(first: Lifecycle, at: Moment): Lifecycle | null {
    let lifecycle = first;
    let time = at;
    while (Lifecycle.#record(lifecycle, time)) {
      const above = Lifecycle.#handOver(lifecycle);
      if (above === null) return null;
      lifecycle = above;
      time = now();
    }
    return lifecycle;
  }

  /** @returns whether a log has it now, and will say when it is written */
  static #record(lifecycle: Lifecycle, at: Moment): boolean {
    for (let part = lifecycle.#firstPart; part !== null; part = part.nextPart) {
      if ((part.log ?? null) === null) continue;
      lifecycle.#openParts += 1;
      part.record?.(at);
    }
    return lifecycle.#openParts > 0;
  }

  /**
   * What is in one log is written in order: a parent whose end goes into the same one, and no other, needn't wait until
   * its child's is written. So a whole family takes one trip to the disk.
   *
   * @returns the parent, if that finishes it
   */
  static #handOver(lifecycle: Lifecycle): Lifecycle | null {
    const { parent } = lifecycle;
    if (parent === null) return null;
    const log = parts.onlyLog(lifecycle.#firstPart);
    if (log === null || parts.onlyLog(parent.lifecycle.#firstPart) !== log) return null;
    const waits = lifecycle.#waits;
    for (const wait of membersOf(waits)) if (parts.isForeign(wait, lifecycle)) foreignWaits -= 1;
    lifecycle.parent = null;
    for (const wait of membersOf(waits)) if (parts.isForeign(wait, lifecycle)) foreignWaits += 1;
    return Lifecycle.#childDone(parent.lifecycle);
  }

  /** One child less to wait for. @returns the event, if that finishes it */
  static #childDone(above: Lifecycle): Lifecycle | null {
    above.#children -= 2;
    return above.open ? null : above;
  }

  static #settle(lifecycle: Lifecycle, at: Moment): void {
    const waits = lifecycle.#waits;
    if (foreignWaits > 0) for (const wait of membersOf(waits)) if (parts.isForeign(wait, lifecycle)) foreignWaits -= 1;
    lifecycle.status = 'completed';
    lifecycle.completedAt = at;
    lifecycle.parent = null;
    if (lifecycle.extras.above !== null) extrasOf(lifecycle).above = null;
    lifecycle.awaited = false;
    lifecycle.#results = parts.runnersOf(lifecycle.#results, lifecycle.#firstPart);
    lifecycle.extras.cancellation?.completed();
    const got = waits !== null && parts.getsErrors(membersOf(waits));
    const part = lifecycle.#firstPart;
    lifeWatch.completed?.(lifecycle.event, part?.runningBus);
    lifecycle.#firstPart = null;
    lifecycle.#lastPart = null;
    lifecycle.#waits = null;
    parts.tellCompleted(part, got);
    if (waits !== null) for (const wait of membersOf(waits)) wait.settle();
  }
}

/** Handlers of this thread wait for events that are no children of their own. */
export function anyForeignWaits(): boolean {
  return foreignWaits > 0;
}
