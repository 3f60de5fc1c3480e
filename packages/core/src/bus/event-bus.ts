import { types } from 'node:util';
import { waitForCapacity } from './back-pressure.ts';
import type { EventConstructor } from '../event/base-event.ts';
import { BusEngine } from './bus-engine.ts';
import type { BusStats } from './bus-meter.ts';
import { busEngine, BusReader } from './bus-reader.ts';
import { type BusIdentity, BusNames, type Listed } from '../event/bus-names.ts';
import { type EventBusOptions, resolveBusOptions, type StopOptions } from './bus-options.ts';
import { newId } from '../event/event-id.ts';
import { liveHandler } from '../event/context.ts';
import { debugLog } from '../log/debug-log.ts';
import { describe } from '../basics/describe.ts';
import { lookForTypesIn } from '../basics/did-you-mean.ts';
import { Dispatch, type RunningBus } from '../event/dispatch.ts';
import { isWalWriteError } from '../basics/errors.ts';
import { checkWait } from '../basics/duration.ts';
import {
  type AnyHandler,
  checkOnOptions,
  type Forward,
  forwardTo,
  type Handler,
  type NamedHint,
  type OnOptions,
} from '../handlers/handler.ts';
import type { Middleware } from '../handlers/middleware.ts';
import { eventHolder } from './held-events.ts';
import { drain, ignoreCycles, waitUntilIdle } from './idle.ts';
import type { WaitOptions } from './idle-watch.ts';
import type { Hint, TakeClass } from '../basics/hint.ts';
import { showAs } from '../basics/inspect.ts';
import { type EventHolder, MemoryWatch } from './memory-watch.ts';
import type { BusObserver } from '../event/observer.ts';
import { checkFlag, checkOptions, checkSignal } from '../basics/options.ts';
import { type EventOf, type EventPattern, patternKey } from '../event/pattern.ts';
import { type Subscription, subscription } from '../basics/subscription.ts';

/** Gives a bus another name and id: those that were kept for it, before it was made, by the thread that started its own. */
export let adoptIdentity: (bus: EventBus, identity: Readonly<BusIdentity>) => void;

const noOptions: OnOptions = {};
const names = new BusNames<EventBus>();
const memory = new MemoryWatch(holders);
const touch = (): void => memory.touch();
lookForTypesIn((busName) =>
  [...names.live()].flatMap((bus) => (bus.name === busName ? busEngine(bus).registry.types : [])),
);

/**
 * A bus: takes events in strict order and calls their handlers, one at a time unless told otherwise.
 *
 * An event that is awaited inside a handler runs ahead of the queue; everything else keeps its place. Different buses
 * don't wait for each other. A bus that isn't stopped neither keeps the process alive nor itself from being collected.
 *
 * @example
 * const Add = BaseEvent.extend('Add', { a: z.number(), b: z.number() }, { result: z.number() });
 * await using bus = new EventBus({ name: 'Main' });
 * bus.on(Add, ({ a, b }) => a + b);
 * await bus.dispatch(new Add({ a: 1, b: 2 })).eventResult();   //=> 3
 */
export class EventBus extends BusReader implements RunningBus, AsyncDisposable {
  /**
   * Hands an event over and returns at once; no handler runs within the call.
   *
   * Bound, so it can be registered on another bus to forward events: `main.on('*', auth.dispatch)`. Inside a handler
   * the event becomes a child of the handler's event. An event that this bus had before is skipped.
   * @throws BusCapacityError if `maxPending` events are under way (the event is left untouched); BusStoppedError;
   *   EventStateError for an event that names this bus in its path and is nowhere under way; TypeError for no event
   * @example const event = await bus.dispatch(new Ping({}));   // or without await: fire and forget
   */
  readonly dispatch: Forward;
  readonly #engine: BusEngine;
  /** What makes it one of the live ones. */
  #listed: Listed<EventBus>;

  static {
    showAs(this.prototype, (bus) => bus.toString());
    adoptIdentity = (bus, { id, name }) => {
      names.remove(bus.#listed);
      Object.assign(bus.#engine.identity, { id, name });
      bus.#listed = names.add(bus);
    };
  }

  /** All live buses of this thread: those that were neither stopped nor collected. */
  static get allInstances(): ReadonlySet<EventBus> {
    return names.live();
  }

  /** Starts at once, and holds nothing that would have to be given back. @throws TypeError or RangeError for an option that makes no sense */
  constructor(options: EventBusOptions = {}) {
    const resolved = resolveBusOptions(options);
    const id = newId();
    const { name, taken } = names.choose(options.name, id);
    const { logger } = resolved;
    if (taken)
      logger.warn(
        `EventBus with name "${options.name}" already exists in this thread; this one is called "${name}". Stop the other one first, or choose another name.`,
      );
    super((bus) => new BusEngine({ id, name }, bus as EventBus, resolved, touch));
    const engine = busEngine(this);
    this.#engine = engine;
    if (resolved.debug) engine.observers.add(debugLog(name, logger));
    this.dispatch = forwardTo(engine, (event, given) => engine.dispatch(event, given));
    this.#listed = names.add(this);
  }

  /** UUIDv7 */
  get id(): string {
    return this.#engine.id;
  }

  /** Unique among the live buses of the thread; in results and in `event_path`. */
  get name(): string {
    return this.#engine.name;
  }

  /**
   * Calls `handler` for every event that matches.
   *
   * Handlers of the type run before those of '*', each in the order of their registration; which ones an event gets is
   * fixed when its processing starts. A function runs at most once per event, however often it is registered.
   * @param pattern a class (matched by its type, not by inheritance), a type, or '*'
   * @returns takes the handler off when called or disposed
   * @throws TypeError if the pattern or the handler is none; BusStoppedError
   * @example
   * ```ts
   * bus.on(UserLogin, async (event, { signal }) => fetchProfile(event.username, signal));
   * bus.on('*', archive.dispatch);                                    // forward everything
   * using subscription = bus.on(UserLogin, greet, { once: true });    // taken off at the end of the block
   * ```
   */
  on<P extends EventPattern>(
    pattern: P | Hint<TakeClass>,
    handler: Handler<EventOf<P>> | NamedHint<EventOf<P>>,
    options: OnOptions = noOptions,
  ): Subscription {
    const key = patternKey(pattern);
    if (options !== noOptions) checkOnOptions(options);
    const { once = false, signal, timeout = null } = options;
    if (typeof handler !== 'function') {
      throw new TypeError(
        `Expected a handler for '${key}' on ${this.name} to be a function; got ${describe(handler)}.${handlerHint(handler)}`,
      );
    }
    const { registry, logger, stopped } = this.#engine;
    if (stopped) throw this.#engine.stoppedError();
    if (signal?.aborted === true) return subscription(() => undefined);
    if (typeof pattern !== 'string') registry.addClass(pattern as EventConstructor);
    const { entry, namesake } = registry.add(key, handler as AnyHandler, once, timeout === Infinity ? null : timeout);
    if (namesake) {
      logger.warn(
        `${this.name}: a handler named "${entry.source.handlerName}" is already registered for '${key}'; both will run.`,
      );
    }
    return registry.subscription(entry, signal);
  }

  /**
   * Takes a handler off, or all that are registered for the pattern. Events that have started keep theirs.
   *
   * @throws TypeError for a handler that is no function
   * @example
   * ```ts
   * bus.off(UserLogin, sendMail);
   * bus.off('*');
   * ```
   */
  off(pattern: EventPattern, handler?: (...args: never[]) => unknown): void {
    const key = patternKey(pattern);
    if (handler !== undefined && typeof handler !== 'function') {
      throw new TypeError(
        `Expected the handler to take off for '${key}' on ${this.name} to be a function; got ${describe(handler)}. Leave it out to take all off.`,
      );
    }
    this.#engine.registry.removeAll(key, handler as AnyHandler | undefined);
  }

  /**
   * Waits until `dispatch` has a free place: the way to slow down to what the handlers can do.
   *
   * First come, first served; dispatch right after it resolves, else the place goes to the next. Inside a handler it
   * counts as an await of what the handler's own events have incomplete here.
   *
   * @returns a promise that resolves once a place is kept for the caller, until the end of the event loop's turn
   * @throws BusCapacityError inside a handler of this bus that has nothing under way to wait for; BusStoppedError; the
   *   signal's reason
   * @example
   * ```ts
   * for await (const row of rows) {
   *   await bus.waitForCapacity();
   *   bus.dispatch(new RowRead(row));
   * }
   * ```
   */
  async waitForCapacity(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    checkOptions('waitForCapacity', options, ['signal']);
    const { signal } = options;
    checkSignal(signal);
    if (this.#engine.stopped) throw this.#engine.stoppedError();
    signal?.throwIfAborted();
    await waitForCapacity(this.#engine, signal);
  }

  /**
   * Waits until no event of this bus is incomplete, children on other buses included, and the log is written.
   *
   * Inside a handler of another bus it is an await of all events that are incomplete here.
   * @returns false if the time was up first
   * @throws AwaitCycleError inside a handler of this bus, or of an event that this bus can't become idle without; the
   *   signal's reason
   * @example
   * ```ts
   * if (!(await bus.waitUntilIdle({ timeout: 10 }))) console.warn(bus.logTree());   // seconds
   * ```
   */
  async waitUntilIdle(options: WaitOptions = {}): Promise<boolean> {
    checkOptions('waitUntilIdle', options, ['timeout', 'signal']);
    checkSignal(options.signal);
    const timeout = checkWait('timeout (seconds)', options.timeout);
    options.signal?.throwIfAborted();
    return waitUntilIdle(this.#engine, timeout, options.signal, async () => this.#engine.log?.flush());
  }

  /**
   * Ends the bus: what runs is aborted, what is queued is cancelled, whatever waits on the bus ends with BusStoppedError.
   *
   * Every event completes all the same. With a `timeout` it first waits for what is under way. Called inside a handler
   * of this bus, that handler is aborted last. Stopping twice does no harm.
   *
   * @returns a promise that resolves when every part of every event here has settled and the log is closed
   * @throws WalWriteError if part of the log could not be written
   * @example
   * ```ts
   * process.once('SIGTERM', () => void bus.stop({ timeout: 10 }));   // seconds for what is under way
   * ```
   */
  async stop(options: StopOptions = {}): Promise<void> {
    checkOptions('stop', options, ['timeout', 'clear']);
    const { clear = false } = options;
    checkFlag('clear', clear);
    const wait = checkWait('timeout (seconds)', options.timeout ?? 0);
    const engine = this.#engine;
    const handler = liveHandler();
    const own = handler?.bus === this ? handler.runner.lifecycle : null;
    if (!engine.stopped && wait !== 0 && engine.history.openSize > 0) {
      const idle =
        handler === null
          ? engine.idle.wait(wait, undefined)
          : drain(engine, handler.runner.lifecycle, wait).catch(ignoreCycles);
      // A log that can't be written to is told below, with all that is left.
      await idle.catch((error: unknown) => {
        if (!isWalWriteError(error)) throw error;
      });
    }
    const ending = !engine.stopped;
    if (ending) engine.shutDown(own);
    names.remove(this.#listed);
    if (clear) {
      engine.history.clear();
      engine.registry.clear();
    }
    const { log } = engine;
    // Completions may still be on their way to the disk.
    const later = log !== null && log.unwritten > 0;
    if (ending && !later) engine.tellStopped();
    try {
      await log?.close();
    } finally {
      if (ending && later) engine.tellStopped();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /**
   * Wraps every handler that runs on this bus, those in pool threads included, forwards not; the first one that was
   * added is outermost.
   *
   * What it returns is the handler's result, checked like any other, what it throws the error; its time is the handler's.
   * An async context that is set around `next()` is the handler's.
   * @returns takes it away again; handlers that have begun keep it
   * @throws TypeError for what is no function; BusStoppedError
   * @example
   * ```ts
   * bus.use(async (event, { signal }, next) => {
   *   const began = performance.now();
   *   try {
   *     return await next();
   *   } finally {
   *     console.log(event.event_type, performance.now() - began);
   *   }
   * });
   * ```
   */
  use(middleware: Middleware): Subscription {
    if (typeof middleware !== 'function') {
      throw new TypeError(`Expected a middleware for ${this.name} to be a function; got ${describe(middleware)}.`);
    }
    const engine = this.#engine;
    if (engine.stopped) throw engine.stoppedError();
    // One that is added twice wraps twice, and each is taken away by itself.
    const own: Middleware = (event, context, next) => middleware(event, context, next);
    engine.middlewares = [...engine.middlewares, own];
    return subscription(() => {
      engine.middlewares = engine.middlewares.filter((other) => other !== own);
    });
  }

  /**
   * Numbers of this bus, in events; costs nothing to speak of.
   *
   * @example
   * ```ts
   * const { queued, failed } = bus.stats();
   * ```
   */
  stats(): BusStats {
    return this.#engine.stats();
  }

  /** Adds a watcher that is told of everything that happens here. @returns takes it away again */
  observe(observer: BusObserver): Subscription {
    return subscription(this.#engine.observers.add(observer));
  }

  override toString(): string {
    const { stopped, history, registry } = this.#engine;
    const completed = [...history.values()].filter(({ event_status }) => event_status === 'completed').length;
    return `${this.name}${stopped ? '🔴' : '🟢'}(⏳ ${this.eventsPending.length} | ▶️ ${this.eventsStarted.length} | ✅ ${completed} ➡️ ${registry.size} 👂)`;
  }
}

function* holders(): Iterable<EventHolder> {
  for (const bus of names.live()) yield eventHolder(busEngine(bus));
}

function handlerHint(handler: unknown): string {
  if (handler === undefined) return ' Is an await missing, as of WorkerBus.start(url), whose dispatch this was to be?';
  if (handler instanceof Dispatch) return ' That is a dispatched event: to forward, register other.dispatch itself.';
  if (types.isPromise(handler)) return ' Is an await missing, or a function around it?';
  if (handler instanceof URL) return ' A file is run by a pool: new HandlerPool().handler(url).';
  if (typeof handler !== 'object' || handler === null) return '';
  if ('dispatch' in handler) return ' That is a bus: to forward, register its dispatch.';
  return 'handler' in handler ? " That is a pool: register pool.handler(new URL('./file.js', import.meta.url))." : '';
}
