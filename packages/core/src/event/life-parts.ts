import type { Moment } from '../basics/clock.ts';
import { isEmptyList, listOf, type SmallList } from '../basics/small-list.ts';

/** One handler's work on one event, as far as the life of events is concerned. */
export interface RunnerOf<Life> {
  /** Of the event that the handler works on. */
  readonly lifecycle: Life;
  readonly settled: boolean;
  /** Events that the handler dispatched, in order. */
  readonly children: readonly Life[];
}

/** An event on one bus; in `runners` one for each handler, once processing has started there. */
export interface PartOf<Life> {
  /** Of the same event, in order of arrival; the lifecycle sets it. */
  nextPart: PartOf<Life> | null;
  readonly runners: SmallList<RunnerOf<Life>>;
  onDone: (() => void) | null;
  /** It is done, perhaps before anybody could set `onDone`: what is cancelled already ends as it is taken. */
  readonly over: boolean;
  /** The event is awaited inside a handler: run it ahead of the queue. */
  promote(): void;
  /** Settles every handler that hasn't settled. */
  cancel(cause: unknown): void;
  /** No bus works on the event any more; it may still wait for children. */
  delivered(): void;
  /** Of the bus, if it has one. */
  readonly log?: object | null;
  /** The event is finished: the part is open again until its log has that, and the lifecycle is told `recorded`. */
  record?(at: Moment): void;
  /** @param got somebody who waited for the event has all its errors */
  completed(got: boolean): void;
  /** The bus, here or elsewhere, as those who watch events know it. */
  readonly runningBus?: object | undefined;
}

/** What may cancel an event from outside; kept beside its life because few events have it. */
export interface Cancellable {
  /** Why the event was cancelled for good: parts that it gets later are cancelled, too. */
  readonly aborted: { readonly reason: unknown } | null;
  /** The event has one more part. */
  attached(): void;
  completed(): void;
}

/** Something that waits for an event. */
export interface WaitOf<Life> {
  /** The handler that waits; null when it is no handler's wait. */
  readonly runner: RunnerOf<Life> | null;
  /** Whoever waits is told of the errors of the event's handlers. */
  readonly getsErrors?: boolean;
  /** Where in another thread it is known what waits through this, if that is so. */
  readonly far?: FarWait | undefined;
  /** Under which cycles with it are looked for in other threads; null if none can lead there. */
  readonly token?: string | null | undefined;
  /** It keeps the event from being cancelled with its parent no more than if it weren't there. */
  readonly silent?: boolean | undefined;
  settle(): void;
  /** The event can't be completed for now, and whoever waits is to know why. Without it the wait goes on. */
  fail?(error: Error): void;
}

/** An event in another thread that needs one of this thread, or a part of it. */
export interface FarWait {
  /** Asks there whether the await with that token waits for something that needs it. */
  chase(token: string): void;
}

/** The log of all the parts that have one; null if there is none, or there are several. */
export function onlyLog<Life>(first: PartOf<Life> | null): object | null {
  let only: object | null = null;
  for (let part = first; part !== null; part = part.nextPart) {
    const { log = null } = part;
    if (log !== null && only !== null && log !== only) return null;
    only ??= log;
  }
  return only;
}

/** A handler waits for an event that is no child of the handler's own: then ancestors are not all that needs it. */
export function isForeign<Life>({ runner }: WaitOf<Life>, event: { readonly parent: RunnerOf<Life> | null }): boolean {
  return runner !== null && event.parent?.lifecycle !== runner.lifecycle;
}

/** Tells all parts that the event is complete; from now on they have nothing to do with each other. */
export function tellCompleted<Life>(first: PartOf<Life> | null, got: boolean): void {
  for (let part = first; part !== null;) {
    const done = part;
    part = done.nextPart;
    done.nextPart = null;
    done.completed(got);
  }
}

/** Somebody among those who wait is told of the errors. */
export function getsErrors<Life>(waits: Iterable<WaitOf<Life>>): boolean {
  for (const wait of waits) if (wait.getsErrors === true) return true;
  return false;
}

/**
 * Those of before and of all parts from the first one on. Mostly only one part has any, also where an event has crossed to
 * another thread and back: then its own list is what is returned.
 */
export function runnersOf<L>(before: SmallList<RunnerOf<L>>, first: PartOf<L> | null): SmallList<RunnerOf<L>> {
  let all = before;
  for (let part = first; part !== null; part = part.nextPart) {
    const { runners } = part;
    if (!isEmptyList(runners)) all = isEmptyList(all) ? runners : [...listOf(all), ...listOf(runners)];
  }
  return all;
}
