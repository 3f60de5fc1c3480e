import type { BaseEvent } from '../event/base-event.ts';
import type { BusEngine } from './bus-engine.ts';
import { checkEventsOptions, type EventsOptions } from './event-stream.ts';
import { expectEvent } from './expect.ts';
import type { ExpectOptions } from './expectation.ts';
import { filterEvents, type FilterOptions } from './filter.ts';
import { findEvent, type FindOptions } from './find.ts';
import { heldEvents } from './held-events.ts';
import { defaultLogger, safeLogger, type SafeLogger } from '../basics/logger.ts';
import { logTree } from '../event/log-tree.ts';
import { type EventOf, type EventPattern, patternKey } from '../event/pattern.ts';
import { markOurs } from '../basics/copy.ts';
import type { Hint, TakeClass } from '../basics/hint.ts';

let engineOf: (bus: BusReader) => BusEngine;

/** The works of a bus, for its other half and for sibling packages. */
export function busEngine(bus: BusReader): BusEngine {
  return engineOf(bus);
}

/** Where what concerns the bus is told, or what concerns none. */
export function loggerOf(bus: BusReader | null): SafeLogger {
  return bus === null ? safeLogger(defaultLogger()) : engineOf(bus).logger;
}

/** What can be read of a bus: the events that it has, had, and will get. */
export abstract class BusReader {
  readonly #engine: BusEngine;

  static {
    engineOf = (bus) => bus.#engine;
    markOurs(this.prototype);
  }

  /** @internal */
  constructor(makeEngine: (bus: BusReader) => BusEngine) {
    this.#engine = makeEngine(this);
  }

  /** The events that the bus remembers, by id, in order of dispatch. */
  get eventHistory(): ReadonlyMap<string, BaseEvent> {
    return this.#engine.history;
  }

  /** Events in flight and in the history that no handler has begun, in order of arrival. */
  get eventsPending(): readonly BaseEvent[] {
    return this.#eventsWith('pending');
  }

  /** Events in flight and in the history that are being worked on, or wait for children. */
  get eventsStarted(): readonly BaseEvent[] {
    return this.#eventsWith('started');
  }

  /** Events in the history that are completed. */
  get eventsCompleted(): readonly BaseEvent[] {
    return this.#eventsWith('completed');
  }

  /**
   * Waits for the next event that matches to be dispatched to this bus; it needn't be processed yet.
   *
   * Registered before the call returns. It is no handler and leaves no result.
   * @throws TimeoutError; the signal's reason; BusStoppedError; what a filter threw
   * @example const paid = await bus.expect(InvoicePaid, { include: (event) => event.invoice_id === id, timeout: 30 });
   */
  async expect<P extends EventPattern>(
    pattern: P | Hint<TakeClass>,
    options: ExpectOptions<EventOf<P>> = {},
  ): Promise<EventOf<P>> {
    return (await expectEvent(this.#engine, patternKey(pattern), options as ExpectOptions)) as EventOf<P>;
  }

  /**
   * Looks for an event in the history, newest first, then waits for one if `future` says so.
   * @returns null if there is none, or none came in time
   * @throws the signal's reason; BusStoppedError while it waits; what `where` threw
   * @example const event = (await bus.find(Refresh, { past: 10 })) ?? bus.dispatch(new Refresh({})).event;   // debounce
   */
  async find<P extends EventPattern>(
    pattern: P | Hint<TakeClass>,
    options: FindOptions<EventOf<P>> = {},
  ): Promise<EventOf<P> | null> {
    return (await findEvent(this.#engine, patternKey(pattern), options as FindOptions)) as EventOf<P> | null;
  }

  /**
   * All events in the history that match, the newest first.
   *
   * @throws TypeError or RangeError for options that make no sense; what `where` threw
   * @example const failed = bus.filter('*', { past: 60, where: (event) => event.event_outcome === 'failed' });
   */
  filter<P extends EventPattern>(pattern: P | Hint<TakeClass>, options: FilterOptions<EventOf<P>> = {}): EventOf<P>[] {
    return filterEvents(this.#engine, patternKey(pattern), options as FilterOptions) as EventOf<P>[];
  }

  /**
   * Every event that matches, as it is dispatched to this bus, from the call on.
   *
   * Ends with the signal, at once and quietly, or with the bus, after what is buffered. It holds up nobody: over
   * `buffer` unread events it gives those and then throws.
   * @throws TypeError or RangeError; BusStoppedError; while iterating: BusCapacityError for a reader who is too slow
   * @example
   * ```ts
   * for await (const event of bus.events('user.*', { signal })) response.write(`data: ${JSON.stringify(event)}\n\n`);
   * ```
   */
  events<P extends EventPattern>(
    pattern: P | Hint<TakeClass>,
    options: EventsOptions = {},
  ): AsyncIterableIterator<EventOf<P>, undefined> {
    const key = patternKey(pattern);
    const checked = checkEventsOptions(options);
    const engine = this.#engine;
    if (engine.stopped) throw engine.stoppedError();
    return engine.expectations.addStream<EventOf<P>>(key, engine.name, checked);
  }

  /** The remembered events as a tree of events and handlers, in bubus's format. @example console.log(bus.logTree()); */
  logTree(): string {
    return logTree([...this.#engine.history.values()]);
  }

  #eventsWith(status: BaseEvent['event_status']): BaseEvent[] {
    return heldEvents(this.#engine).filter(({ event_status }) => event_status === status);
  }
}
