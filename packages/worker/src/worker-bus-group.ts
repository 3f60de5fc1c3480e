import type { AsyncResource } from 'node:async_hooks';
import type { Dispatch, Dispatchable, DispatchOptions, Forward, StopOptions, WaitOptions } from '@threadbus/core';
import {
  BaseEvent,
  checkLimit,
  checkOptions,
  describe,
  type ForwardTarget,
  forwardTarget,
  forwardTo,
  newId,
  noEventError,
  type Part,
  silenced,
} from '@threadbus/core/internal';
import { type WorkerBusOptions, workerOptionNames } from './options.ts';
import type { WorkerBusStats } from './thread/bus-meter.ts';
import type { WhereIs } from './thread/stuck-at.ts';
import { TimeHistogram } from './thread/time-histogram.ts';
import { roundTripOf, WorkerBus } from './worker-bus.ts';

/** Which bus of a group an event goes to; events with one key always go to the same bus, in order. */
export type Route = 'round-robin' | 'least-busy' | ((event: BaseEvent) => string | number);

/** Options of `WorkerBusGroup.start`: those of each bus, and the group's own. */
export interface WorkerBusGroupOptions extends WorkerBusOptions {
  /** Number of threads, each with a bus of its own. */
  readonly size: number;
  /** Which bus an event goes to. @default 'round-robin' */
  readonly route?: Route | undefined;
}

/** What a group is doing and has done: sums over its members, and each member's own. */
export interface WorkerBusGroupStats extends WorkerBusStats {
  /** Those of each bus, in the order of `buses`. */
  readonly members: readonly WorkerBusStats[];
}

/**
 * Several threads that run the same entry file; events are shared out among them.
 *
 * @example
 * ```ts
 * await using group = await WorkerBusGroup.start(url, { size: 4, route: (event) => String(event.user_id), parent: main });
 * main.on(UserEvent, group.dispatch);      // one user's events always reach the same thread, in order
 * group.broadcast(new ReloadConfig({}));   // reaches all
 * ```
 */
export class WorkerBusGroup implements ForwardTarget, AsyncDisposable {
  /** UUIDv7 */
  readonly id: string = newId();
  /** That of its first bus, and 'Group'. */
  readonly name: string;
  /** The group's buses, in the order of their start. */
  readonly buses: readonly WorkerBus[];
  /** Sends an event to one of the buses; bound, and a forwarder. */
  readonly dispatch: Forward;
  readonly #route: Route;
  #next = 0;

  private constructor(buses: readonly WorkerBus[], route: Route) {
    this.buses = buses;
    this.name = `${buses[0]?.name ?? ''}Group`;
    this.#route = route;
    this.dispatch = forwardTo(this, (event, options) => this.#dispatch(event, options));
  }

  /**
   * Starts the threads.
   *
   * @throws WorkerStartError if one of them can't be started; none is left behind then
   * @example
   * ```ts
   * await using group = await WorkerBusGroup.start(new URL('./index-bus.js', import.meta.url), { size: 4 });
   * ```
   */
  static async start(entry: URL | string, groupOptions: WorkerBusGroupOptions): Promise<WorkerBusGroup> {
    checkOptions('WorkerBusGroup.start', groupOptions, ['size', 'route', ...workerOptionNames]);
    const { size, route = 'round-robin', ...options } = groupOptions;
    const count = checkLimit('size', size);
    if (count === null || !Number.isInteger(count))
      throw new TypeError(`Expected size to be a whole number of threads; got ${describe(size)}.`);
    if (route !== 'round-robin' && route !== 'least-busy' && typeof route !== 'function') {
      throw new TypeError(
        `Expected route to be 'round-robin', 'least-busy' or a function of the event; got ${describe(route)}.`,
      );
    }
    const starts = await Promise.allSettled(Array.from({ length: count }, () => WorkerBus.start(entry, options)));
    const buses = starts.filter((start) => start.status === 'fulfilled').map(({ value }) => value);
    const failure = starts.find((start) => start.status === 'rejected');
    if (failure === undefined) return new WorkerBusGroup(buses, route);
    await Promise.all(buses.map((bus) => bus.stop()));
    throw failure.reason as Error;
  }

  /**
   * Sends an event to all buses; it is complete when all of them are done with it.
   *
   * @throws the reason why one of the buses is out of service; none gets the event then
   * @example
   * ```ts
   * await group.broadcast(new ReloadConfig({}));   // all threads have reloaded
   * ```
   */
  broadcast<E extends Dispatchable>(event: E, options?: DispatchOptions): Dispatch<E> {
    const failed = this.buses.find(({ failure }) => failure !== null);
    if (failed !== undefined) throw failed.failure as Error;
    const [first, ...others] = this.buses as [WorkerBus, ...WorkerBus[]];
    const dispatched = first.dispatch(event, options);
    for (const bus of others) bus.dispatch(event, options);
    return dispatched;
  }

  /** @internal */
  accept(event: BaseEvent, context: AsyncResource): Part | null {
    return this.#choose(event).dispatch[forwardTarget].accept(event, context);
  }

  /**
   * The sums of its members' numbers, and those of each, in the order of `buses`.
   *
   * @throws nothing
   * @example
   * ```ts
   * const { waiting, members } = group.stats();
   * console.log(waiting, members.map(({ roundTrip }) => roundTrip?.p99));
   * ```
   */
  stats(): WorkerBusGroupStats {
    const members = this.buses.map((bus) => bus.stats());
    const sum = (name: 'inFlight' | 'waiting' | 'completed' | 'failed' | 'restarts'): number =>
      members.reduce((total, member) => total + member[name], 0);
    return {
      inFlight: sum('inFlight'),
      waiting: sum('waiting'),
      completed: sum('completed'),
      failed: sum('failed'),
      restarts: sum('restarts'),
      roundTrip: TimeHistogram.of(this.buses.map(roundTripOf)).summary,
      members,
    };
  }

  /**
   * What its busy threads are doing, without ending any.
   *
   * @returns as `WorkerBus.whereIs`, of all
   * @throws nothing
   * @example
   * ```ts
   * for (const { threadId, frames } of await group.whereIs()) console.log(threadId, frames[0]);
   * ```
   */
  async whereIs(): Promise<readonly WhereIs[]> {
    return (await Promise.all(this.buses.map((bus) => bus.whereIs()))).flat();
  }

  /**
   * Waits until no bus of the group has an incomplete event.
   *
   * @returns false if the time was up first
   * @throws as `WorkerBus.waitUntilIdle`
   * @example
   * ```ts
   * if (!(await group.waitUntilIdle({ timeout: 10 }))) console.log(group.buses.map(({ inFlight }) => inFlight));
   * ```
   */
  async waitUntilIdle(options?: WaitOptions): Promise<boolean> {
    const idle = await Promise.all(this.buses.map((bus) => bus.waitUntilIdle(options)));
    return idle.every(Boolean);
  }

  /**
   * Waits for a free place on the link of the bus that has most of them.
   *
   * @throws the signal's reason; the reason why the buses are gone
   * @example
   * ```ts
   * await group.waitForCapacity();
   * group.dispatch(new FileFound({ path }));
   * ```
   */
  async waitForCapacity(options?: { readonly signal?: AbortSignal | undefined }): Promise<void> {
    await this.#leastBusy().waitForCapacity(options);
  }

  /**
   * Stops all buses and their threads.
   *
   * @throws TypeError for options that make no sense
   * @example
   * ```ts
   * await group.stop({ timeout: 5 });   // up to 5 s for what is under way
   * ```
   */
  async stop(options?: StopOptions): Promise<void> {
    await Promise.all(this.buses.map((bus) => bus.stop(options)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #dispatch<E extends Dispatchable>(event: E, options?: DispatchOptions): Dispatch<E> {
    if (!(event instanceof BaseEvent)) throw noEventError(this, event);
    return this.#choose(event).dispatch(event, options);
  }

  #choose(event: BaseEvent): WorkerBus {
    if (typeof this.#route === 'function') {
      const key = this.#route(event);
      checkKey(key, event);
      return this.buses[hash(String(key)) % this.buses.length] as WorkerBus;
    }
    if (this.#route === 'least-busy') return this.#leastBusy();
    const live = this.#live();
    this.#next += 1;
    return live[(this.#next - 1) % live.length] as WorkerBus;
  }

  #leastBusy(): WorkerBus {
    return this.#live().reduce((least, bus) => (bus.inFlight < least.inFlight ? bus : least));
  }

  /** Those that take events; all, with their errors, if none does. */
  #live(): readonly WorkerBus[] {
    const live = this.buses.filter(({ failure }) => failure === null);
    return live.length === 0 ? this.buses : live;
  }
}

/** Anything else would be one key for all: a promise's text is always the same. @throws TypeError */
function checkKey(key: unknown, { event_type }: BaseEvent): void {
  if (typeof key === 'string' || typeof key === 'number') return;
  if (silenced(key)) {
    throw new TypeError(
      `Expected route to give the key of a ${event_type} at once; it returned a promise, as an async function does.`,
    );
  }
  throw new TypeError(
    `Expected route to give a string or a number as the key of a ${event_type}; got ${describe(key)}. Events with one key go to one thread.`,
  );
}

/** FNV-1a: the same key always gives the same number, in every process. */
function hash(key: string): number {
  let sum = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) sum = Math.imul(sum ^ key.charCodeAt(i), 0x01000193) >>> 0;
  return sum;
}
