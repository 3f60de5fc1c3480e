import { channel, tracingChannel } from 'node:diagnostics_channel';
import type { BaseEvent } from './base-event.ts';
import type { RunningBus } from './dispatch.ts';
import type { EventResult } from './event-result.ts';
import { lifeWatch, reopened } from './life-watch.ts';
import { stackText } from '../basics/describe.ts';
import { onlookers } from './onlookers.ts';
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
    const text = error === undefined ? '' : `: ${stackText(error)}`;
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
  const taken = dispatches.hasSubscribers ? () => dispatches.runStores({ event, bus }, take) : take;
  within(registrations, 0, aroundDispatch, event, bus, taken);
}

export function isHandlerWatched(): boolean {
  return registrations.length > 0 || isCallHeard();
}

/** Somebody listens to one of the channels of calls. */
function isCallHeard(): boolean {
  return (
    start.hasSubscribers ||
    end.hasSubscribers ||
    asyncStart.hasSubscribers ||
    asyncEnd.hasSubscribers ||
    failures.hasSubscribers
  );
}

/** One call of a handler that is watched, until it has settled. */
export class WatchedCall {
  readonly #event: BaseEvent;
  readonly #result: EventResult;
  /** Those who are told of the end: who came later hears of later calls. */
  readonly #told = registrations;
  /** For the channels, while somebody listens there. */
  readonly #trace: HandlerTrace | null;
  #calling = true;
  #settled = false;

  constructor(event: BaseEvent, result: EventResult) {
    this.#event = event;
    this.#result = result;
    this.#trace = isCallHeard() ? { event, result } : null;
  }

  /** Calls the handler within all that watches. @returns what `call` does, and throws what it throws */
  run(call: () => unknown): unknown {
    const trace = this.#trace;
    let value: unknown;
    let error: unknown;
    let failed = false;
    const go = (): void => {
      try {
        value = call();
      } catch (thrown) {
        error = thrown;
        failed = true;
      }
    };
    const heard = (): void => {
      start.runStores(trace as HandlerTrace, go);
      end.publish(trace);
    };
    try {
      within(registrations, 0, aroundHandler, this.#event, this.#result, trace === null ? go : heard);
    } finally {
      this.#calling = false;
      if (this.#settled) this.#publishEnd();
    }
    if (failed) throw error;
    return value;
  }

  /** The handler has settled. */
  ended(): void {
    this.#settled = true;
    if (!this.#calling) this.#publishEnd();
    for (const registration of this.#told) {
      if (registration.live) tell(registration, 'handlerEnded', afterHandler, this.#event, this.#result);
    }
  }

  /** After `end`, also if the handler was ended while it was being called. */
  #publishEnd(): void {
    const trace = this.#trace;
    if (trace === null) return;
    if (trace.result.status === 'error') {
      trace.error = trace.result.error;
      failures.publish(trace);
    }
    asyncStart.publish(trace);
    asyncEnd.publish(trace);
  }
}

lifeWatch.completed = (event, bus) => {
  const isWatched = registrations.length > 0 || completions.hasSubscribers;
  if ((!isWatched && onlookers.length === 0) || reopened.has(event)) return;
  for (const onlooker of onlookers) onlooker.completed(event as BaseEvent);
  if (!isWatched) return;
  if (completions.hasSubscribers) completions.publish({ event, bus: bus ?? null });
  for (const registration of registrations) {
    tell(registration, 'completed', afterEvent, event as BaseEvent, null);
  }
};

type Around<About> = (it: Instrumentation, event: BaseEvent, about: About, go: () => void) => unknown;
type After = (it: Instrumentation, event: BaseEvent, result: EventResult | null) => unknown;

// Made once, and not for each event: what is called so often shall leave little behind.
const aroundDispatch: Around<RunningBus> = (it, event, bus, go) =>
  it.dispatch === undefined ? go() : it.dispatch(event, bus, go);
const aroundHandler: Around<EventResult> = (it, event, result, go) =>
  it.handler === undefined ? go() : it.handler(event, result, go);
const afterHandler: After = (it, event, result) => it.handlerEnded?.(event, result as EventResult);
const afterEvent: After = (it, event) => it.completed?.(event);

function tell(
  registration: Registration,
  what: string,
  after: After,
  event: BaseEvent,
  result: EventResult | null,
): void {
  try {
    catchLater(registration, what, after(registration.it, event, result));
  } catch (error) {
    registration.failed(`failed in ${what}`, error);
  }
}

function catchLater(registration: Registration, what: string, answer: unknown): void {
  if (answer instanceof Promise) answer.catch((error: unknown) => registration.failed(`failed in ${what}`, error));
}

/** Nests the wrappers of `all` from the one at that place on around `inner`, which runs exactly once whatever they do. */
function within<About>(
  all: readonly Registration[],
  at: number,
  around: Around<About>,
  event: BaseEvent,
  about: About,
  inner: () => void,
): void {
  const registration = all[at];
  if (registration === undefined) {
    inner();
    return;
  }
  let due = true;
  const go = (): void => {
    if (!due) return;
    due = false;
    within(all, at + 1, around, event, about, inner);
  };
  try {
    catchLater(registration, 'a wrapper', around(registration.it, event, about, go));
  } catch (error) {
    registration.failed('failed in a wrapper', error);
  }
  if (due) {
    registration.failed('has a wrapper that did not call go() before it returned');
    go();
  }
}
