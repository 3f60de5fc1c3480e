import type { BaseEvent } from './base-event.ts';
import type { RunningBus } from './dispatch.ts';
import type { EventResult } from './event-result.ts';
import { subscription, type Subscription } from '../basics/subscription.ts';

/**
 * Hears of every event of this thread and wraps none: for those who look at few of them, and must cost the others little.
 *
 * For each there is a call and nothing that has to be made for it, unlike `instrument`. None may throw, or keep the
 * thread: there is nobody who would catch it.
 */
export interface Onlooker {
  /** The event is about to be taken where it was born. */
  dispatched(event: BaseEvent, bus: RunningBus): void;
  /** A handler is about to be called. */
  called(event: BaseEvent, result: EventResult): void;
  /** The handler has settled; once for each call: one that was cancelled before was none. */
  ended(event: BaseEvent, result: EventResult): void;
  /** The event is complete as a whole; once in each thread that had it. */
  completed(event: BaseEvent): void;
}

/** Replaced, never changed. */
export let onlookers: readonly Onlooker[] = [];

export function lookOn(onlooker: Onlooker): Subscription {
  onlookers = [...onlookers, onlooker];
  return subscription(() => {
    onlookers = onlookers.filter((other) => other !== onlooker);
  });
}

/** Somebody looks on in this thread. */
export function isLookedOn(): boolean {
  return onlookers.length > 0;
}

export function tellDispatched(event: BaseEvent, bus: RunningBus): void {
  for (const onlooker of onlookers) onlooker.dispatched(event, bus);
}
