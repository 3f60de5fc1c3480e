import { channel, tracingChannel } from 'node:diagnostics_channel';
import type { BaseEvent } from './base-event.ts';
import type { RunningBus } from './dispatch.ts';
import type { EventResult } from './event-result.ts';
import { lifeWatch } from './life-watch.ts';
import { defaultLogger } from '../basics/logger.ts';
import { checkOptions } from '../basics/options.ts';
import { subscription, type Subscription } from '../basics/subscription.ts';

/**
 * What a tracer does around events and handlers of this thread.
 *
 * What is active (an AsyncLocalStorage's store, a span) while `go` is called is what handlers see. `go` gives nothing
 * back, works once, and only until the wrapper returns: it can't change what becomes of an event. A wrapper that throws,
 * or never calls `go`, changes nothing either; it is logged once.
 */
export interface Instrumentation {
  /**
   * Around the first dispatch of an event, where it is born. Not around forwards, arrivals from other threads, and
   * further dispatches to other buses. @default nothing
   */
  readonly dispatch?: ((event: BaseEvent, bus: RunningBus, go: () => void) => void) | undefined;
  /**
   * Around each call of a handler, pool functions and handlers for buses of other threads included. Of a pool's handler
   * both sides hear: the one that calls, and the thread that runs the function. @default nothing
   */
  readonly handler?: ((event: BaseEvent, result: EventResult, go: () => void) => void) | undefined;
  /** The handler has settled, by its end, its time or an abort; once for each call, before anybody who waits goes on. @default nothing */
  readonly handlerEnded?: ((event: BaseEvent, result: EventResult) => void) | undefined;
  /** The event is complete as a whole; once in each thread that had it. @default nothing */
  readonly completed?: ((event: BaseEvent) => void) | undefined;
}

/** One registration; it is logged once, however often it fails. */
class Registration {
  readonly it: Instrumentation;
  live = true;
  #told = false;

  constructor(it: Instrumentation) {
    this.it = it;
  }

  failed(what: string, error?: unknown): void {
    if (this.#told) return;
    this.#told = true;
    const text = error instanceof Error ? `: ${error.stack ?? error.message}` : '';
    defaultLogger().error(`An instrumentation ${what}${text}`);
  }
}

/** What the sub-channels of `threadbus:handler` are told: one object for all of them. */
interface HandlerTrace {
  readonly event: BaseEvent;
  readonly result: EventResult;
  error?: unknown;
}

let registrations: readonly Registration[] = [];
const dispatches = channel('threadbus:dispatch');
const completions = channel('threadbus:completed');
const { start, end, asyncStart, asyncEnd, error: failures } = tracingChannel('threadbus:handler');

/**
 * Wraps every first dispatch and every handler call of this thread, on whichever bus.
 *
 * Registered first is outermost. The same points are published on `node:diagnostics_channel`: `threadbus:dispatch` and
 * `threadbus:completed` with `{ event, bus }`, `tracingChannel('threadbus:handler')` with `{ event, result }` and, of a
 * failure, `error`. While nobody watches it costs nothing.
 *
 * @returns ends it
 * @throws TypeError for what is no instrumentation
 * @example
 * ```ts
 * instrument({
 *   handler: (event, result, go) => requests.run({ handler: result.handler_name }, go),
 *   handlerEnded: (event, result) => console.log(event.event_type, result.status),
 * });
 * ```
 */
export function instrument(it: Instrumentation): Subscription {
  checkOptions('instrument', it, ['dispatch', 'handler', 'handlerEnded', 'completed']);
  for (const [name, wrapper] of Object.entries(it) as [string, unknown][]) {
    if (wrapper === undefined || typeof wrapper === 'function') continue;
    throw new TypeError(`Expected ${name} of instrument to be a function; got ${typeof wrapper}.`);
  }
  const registration = new Registration(it);
  registrations = [...registrations, registration];
  return subscription(() => {
    registration.live = false;
    registrations = registrations.filter((other) => other !== registration);
  });
}

export function isDispatchWatched(): boolean {
  return registrations.length > 0 || dispatches.hasSubscribers;
}

/** Has an event taken, within all that watches dispatches. */
export function watchDispatch(event: BaseEvent, bus: RunningBus, take: () => void): void {
  const publish = (go: () => void): void => {
    if (dispatches.hasSubscribers) dispatches.runStores({ event, bus }, go);
    else go();
  };
  within(
    (it, go) => it.dispatch?.(event, bus, go),
    (it) => it.dispatch !== undefined,
    () => publish(take),
  );
}

export function isHandlerWatched(): boolean {
  return (
    registrations.length > 0 ||
    start.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    failures.hasSubscribers
  );
}

/** One call of a handler that is watched, until it has settled. */
export class WatchedCall {
  readonly #trace: HandlerTrace;
  /** Those who are told of the end: who came later hears of later calls. */
  readonly #told = registrations;
  #calling = true;
  #settled = false;

  constructor(event: BaseEvent, result: EventResult) {
    this.#trace = { event, result };
  }

  /** Calls the handler within all that watches. @returns what `call` does, and throws what it throws */
  run(call: () => unknown): unknown {
    const { event, result } = this.#trace;
    const outcome: { value?: unknown; error?: unknown; failed: boolean } = { failed: false };
    const go = (): void => {
      try {
        outcome.value = call();
      } catch (error) {
        outcome.error = error;
        outcome.failed = true;
      }
    };
    try {
      within(
        (it, inner) => it.handler?.(event, result, inner),
        (it) => it.handler !== undefined,
        () => {
          start.runStores(this.#trace, go);
          end.publish(this.#trace);
        },
      );
    } finally {
      this.#calling = false;
      if (this.#settled) this.#publishEnd();
    }
    if (outcome.failed) throw outcome.error;
    return outcome.value;
  }

  /** The handler has settled. */
  ended(): void {
    const { event, result } = this.#trace;
    this.#settled = true;
    if (!this.#calling) this.#publishEnd();
    for (const registration of this.#told) {
      if (registration.live) tell(registration, 'handlerEnded', ({ handlerEnded }) => handlerEnded?.(event, result));
    }
  }

  /** After `end`, also if the handler was ended while it was being called. */
  #publishEnd(): void {
    const trace = this.#trace;
    if (trace.result.status === 'error') {
      trace.error = trace.result.error;
      failures.publish(trace);
    }
    asyncStart.publish(trace);
    asyncEnd.publish(trace);
  }
}

/** Events that were complete once already: one that is dispatched again to a further bus is told no second time. */
const completed = new WeakSet();

lifeWatch.completed = (event, bus) => {
  if ((registrations.length === 0 && !completions.hasSubscribers) || completed.has(event)) return;
  completed.add(event);
  if (completions.hasSubscribers) completions.publish({ event, bus: bus ?? null });
  for (const registration of registrations) tell(registration, 'completed', (it) => it.completed?.(event as BaseEvent));
};

function tell(registration: Registration, what: string, told: (it: Instrumentation) => unknown): void {
  try {
    const answer = told(registration.it);
    if (answer instanceof Promise) answer.catch((error: unknown) => registration.failed(`failed in ${what}`, error));
  } catch (error) {
    registration.failed(`failed in ${what}`, error);
  }
}

/** Nests the wrappers, the first outermost, around `inner`, which runs exactly once whatever they do. */
function within(
  call: (it: Instrumentation, go: () => void) => unknown,
  wraps: (it: Instrumentation) => boolean,
  inner: () => void,
): void {
  const all = registrations;
  const from = (at: number): void => {
    const registration = all[at];
    if (registration === undefined) {
      inner();
      return;
    }
    if (!wraps(registration.it)) {
      from(at + 1);
      return;
    }
    let due = true;
    const go = (): void => {
      if (!due) return;
      due = false;
      from(at + 1);
    };
    tell(registration, 'a wrapper', (it) => call(it, go));
    if (due) {
      registration.failed('has a wrapper that did not call go() before it returned');
      go();
    }
  };
  from(0);
}
