import type {
  BaseEvent,
  EventOf,
  EventPattern,
  EventsOptions,
  ExpectOptions,
  Forward,
  Handler,
  Hint,
  NamedHint,
  OnOptions,
  RunningBus,
  Subscription,
  TakeClass,
} from '@threadbus/core';
import { showAs } from '@threadbus/core/internal';
import type { RemoteBus } from './remote-bus.ts';

/**
 * A bus in another thread, to be used like one of this thread: same words, same meaning.
 *
 * What it takes and gives crosses the thread as structured-cloned data; results, errors and children of events that
 * were dispatched here come back into the event itself.
 */
export class BusReference implements RunningBus {
  readonly #remote: RemoteBus;

  static {
    showAs(this.prototype, (bus) => `${bus.constructor.name} ${bus.toString()}`);
  }

  /** @internal */
  constructor(remote: RemoteBus) {
    this.#remote = remote;
  }

  /** The same in all threads. */
  get id(): string {
    return this.#remote.id;
  }

  /** Unique among all linked threads. */
  get name(): string {
    return this.#remote.name;
  }

  /**
   * Sends an event there and returns at once; bound, and a forwarder: `main.on(FileFound, index.dispatch)`.
   *
   * Await it for the event, completed by the handlers over there. Inside a handler that runs it ahead of their queue.
   * `{ transfer: [buffer] }` moves buffers of the payload instead of copying them.
   *
   * @throws BusCapacityError if too many events wait on this side; BusStoppedError or WorkerCrashedError if the bus is gone
   */
  get dispatch(): Forward {
    return this.#remote.dispatch;
  }

  /**
   * Registers a handler on the bus over there: a function of this side runs on this side, in the bus's order but
   * without holding its slot; its result shows under the bus's name. Another bus's `dispatch` forwards to that bus.
   *
   * @returns takes the handler off when called or disposed
   * @throws TypeError if the pattern or the handler is none; the reason why the bus is gone
   * @example
   * ```ts
   * index.on(FileIndexed, ({ path }) => console.log(path));   // runs here, for events of the bus over there
   * index.on('*', main.dispatch);                             // forward up
   * ```
   */
  on<P extends EventPattern>(
    pattern: P | Hint<TakeClass>,
    handler: Handler<EventOf<P>> | NamedHint<EventOf<P>>,
    options?: OnOptions,
  ): Subscription {
    return this.#remote.on(pattern as EventPattern, handler, options);
  }

  /**
   * Takes off handlers of this side; the bus's own are not touched.
   *
   * @throws TypeError if the pattern or the handler is none
   * @example
   * ```ts
   * index.off('*', main.dispatch);
   * ```
   */
  off(pattern: EventPattern, handler?: (...args: never[]) => unknown): void {
    this.#remote.off(pattern, handler);
  }

  /**
   * Waits for the next event that matches to be dispatched to the bus over there; filters run on this side.
   *
   * @throws TimeoutError; the signal's reason; what a filter threw; the reason why the bus is gone
   * @example
   * ```ts
   * const indexed = await index.expect(FileIndexed, { include: ({ path }) => path === wanted, timeout: 30 });
   * ```
   */
  async expect<P extends EventPattern>(
    pattern: P | Hint<TakeClass>,
    options?: ExpectOptions<EventOf<P>>,
  ): Promise<EventOf<P>> {
    return (await this.#remote.expect(pattern as EventPattern, options as ExpectOptions)) as EventOf<P>;
  }

  /**
   * Each event that matches, as it is dispatched to the bus over there, from the call on; it completes here, too.
   *
   * Ends with the signal at once, and with the bus after what is buffered. It goes on over restarts of the bus's thread.
   *
   * @returns to be iterated over once; leaving the loop ends it
   * @throws TypeError or RangeError for the pattern or an option; the reason why the bus is gone; while iterating,
   * BusCapacityError behind the first `buffer` events if more are unread, UnserializableError if one can't cross, and
   * WorkerCrashedError or LinkError if the bus is lost
   * @example
   * ```ts
   * for await (const event of index.events('user.*', { signal })) console.log(event.event_type);
   * ```
   */
  events<P extends EventPattern>(
    pattern: P | Hint<TakeClass>,
    options?: EventsOptions,
  ): AsyncIterableIterator<EventOf<P>, undefined> {
    return this.#remote.events(
      pattern as EventPattern,
      options,
    ) as AsyncIterableIterator<BaseEvent> as AsyncIterableIterator<EventOf<P>, undefined>;
  }

  /**
   * Waits until the link has a free place: first come, first served.
   *
   * @throws the signal's reason; the reason why the bus is gone
   * @example
   * ```ts
   * for await (const path of files) {
   *   await index.waitForCapacity();
   *   index.dispatch(new FileFound({ path }));
   * }
   * ```
   */
  waitForCapacity(options?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    return this.#remote.waitForCapacity(options);
  }

  /** As text: the bus's name, whether it takes events, and how many are under way there from here. */
  toString(): string {
    const { failure, outgoing } = this.#remote;
    return `${this.name}${failure === null ? '🟢' : '🔴'}(${outgoing.size} in flight)`;
  }
}
