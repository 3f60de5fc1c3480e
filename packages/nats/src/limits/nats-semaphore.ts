import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { threadId } from 'node:worker_threads';
import { checkOptions, checkSignal, checkWait, whenAborted } from '@threadbus/core/internal';
import { endsWithin } from '../basics/waits.ts';
import type { Broker } from '../broker/broker.ts';
import { ClusterLease } from './cluster-lease.ts';
import { SemaphoreLimitError, SemaphoreTimeoutError, SemaphoreUnavailableError } from './errors.ts';
import {
  checkLimitOption,
  checkPermits,
  type ClusterHolder,
  type ClusterReport,
  type NatsAcquireOptions,
  type ResolvedSemaphoreOptions,
} from './semaphore-options.ts';
import { Bell, inTime, Turn } from './waiting.ts';
import type { Entry, LimitConfig, SlotMark, SlotStore } from './slot-store.ts';

/** What is remembered of a name, to notice that the store has forgotten it. */
export interface Remembered {
  id: string;
  token: number;
}

/** Seconds for the store to be there. */
const patience = 5;
/** Seconds beyond a call's own limit for an answer that is on its way. */
const answerGrace = 1;

interface Seen {
  readonly revision: number;
  /** Monotonic milliseconds at which this side has first seen that revision. */
  readonly at: number;
}

/**
 * At most `limit` leases at a time, over all processes and machines of a namespace: of holders that can talk to the
 * store, and whose clocks run.
 *
 * A holder that is paused or cut off for longer than `lease` loses its slot while it may still be inside; `lease.signal`
 * tells it at its next turn. Pass `lease.token` to what you protect, and let that refuse smaller ones: then it is safe.
 * Calls of one process are served in order; between processes there is no order.
 *
 * @example
 * ```ts
 * await using lease = await net.semaphore('gpu', { limit: 2, lease: 15 }).acquire({ timeout: 60 });
 * await render({ fence: lease.token, signal: lease.signal });
 * ```
 */
export class NatsSemaphore {
  /** As it was asked for. */
  readonly name: string;
  readonly #broker: Broker;
  readonly #store: SlotStore;
  readonly #lease: number;
  readonly #memory: Map<string, Remembered>;
  readonly #seen = new Map<number, Seen>();
  readonly #held = new Set<ClusterLease>();
  readonly #asked: number;
  /** The store has it with what was asked for: from then on it follows the store. */
  #isAgreed = false;
  /** As of the store, as far as it is known. */
  #limit: number;
  /** The calls that wait, each behind the one before. */
  #line: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** @internal */
  constructor(
    broker: Broker,
    store: SlotStore,
    name: string,
    { limit, lease }: ResolvedSemaphoreOptions,
    memory: Map<string, Remembered>,
  ) {
    this.name = name;
    this.#broker = broker;
    this.#store = store;
    this.#asked = limit;
    this.#limit = limit;
    this.#lease = lease;
    this.#memory = memory;
  }

  /** How many leases there may be at once, as far as is known here: others may have called `setLimit`. */
  get limit(): number {
    return this.#limit;
  }

  /**
   * Waits for a slot.
   *
   * @returns the lease; settles once a slot is held
   * @throws SemaphoreTimeoutError: no slot came free in time; SemaphoreUnavailableError: the store can't be reached, or has
   *   forgotten the semaphore; SemaphoreLimitError: the name is in use with another limit or lease; the signal's reason
   * @example
   * ```ts
   * const lease = await gpu.acquire({ timeout: 60 });
   * ```
   */
  async acquire(options: NatsAcquireOptions = {}): Promise<ClusterLease> {
    checkOptions('acquire', options, ['timeout', 'signal', 'permits']);
    checkPermits(options.permits);
    checkSignal(options.signal);
    const timeout = checkWait('timeout (seconds)', options.timeout);
    const { signal } = options;
    signal?.throwIfAborted();
    this.#checkOpen();
    const until = performance.now() + (timeout ?? Infinity) * 1000;
    const before = this.#line;
    const turn = new Turn();
    this.#line = turn.over;
    this.#waiting += 1;
    try {
      return await this.#broker.keepAlive.during(async () => {
        if (!(await endsWithin(before, until, signal))) throw this.#late(timeout);
        return this.#takeWithin(until, timeout, signal);
      });
    } finally {
      this.#waiting -= 1;
      // Those behind go on when those before are through, whether this one has waited for them or not.
      void before.then(() => turn.end());
    }
  }

  /**
   * Takes a slot that is free now and that nobody of this process waits for.
   *
   * @returns the lease, or null if they are busy
   * @throws SemaphoreUnavailableError, SemaphoreLimitError, TypeError
   * @example
   * ```ts
   * const lease = await gpu.tryAcquire();
   * ```
   */
  async tryAcquire(options: { readonly permits?: number | undefined } = {}): Promise<ClusterLease | null> {
    checkOptions('tryAcquire', options, ['permits']);
    checkPermits(options.permits);
    if (this.#waiting > 0) return null;
    const config = await this.#ready(performance.now() + patience * 1000, null);
    return this.#takeFree(config);
  }

  /**
   * Who holds; takes no slot and changes nothing.
   *
   * @throws SemaphoreUnavailableError
   * @example
   * ```ts
   * const { holders } = await gpu.inspect();
   * ```
   */
  async inspect(): Promise<ClusterReport> {
    const config = await this.#ready(performance.now() + patience * 1000, null);
    const slots = await Promise.all(numbers(config.most).map((slot) => this.#store.slot(slot)));
    const holders = slots.flatMap(({ value }, slot): ClusterHolder[] =>
      value === null
        ? []
        : [{ slot, pid: null, threadId: null, state: 'unknown', since: value.since, host: value.host }],
    );
    return { name: this.name, scope: 'cluster', limit: config.limit, directory: null, holders, waiters: [] };
  }

  /**
   * Changes the limit for all: up at once; down as leases end, nobody loses one.
   *
   * @throws TypeError; SemaphoreUnavailableError
   * @example
   * ```ts
   * await gpu.setLimit(4);
   * ```
   */
  async setLimit(limit: number): Promise<void> {
    checkLimitOption(limit);
    for (;;) {
      await this.#ready(performance.now() + patience * 1000, null);
      const { value, revision } = await this.#store.config();
      if (value === null) continue;
      const most = Math.max(value.most, limit);
      if ((await this.#store.writeConfig({ ...value, limit, most }, revision)) === null) continue;
      this.#limit = limit;
      return;
    }
  }

  /** A store that says nothing doesn't hold up whoever has a limit: a slot that it gives too late is given back. */
  async #takeWithin(until: number, timeout: number | null, signal: AbortSignal | undefined): Promise<ClusterLease> {
    const taking = this.#take(until, timeout, signal);
    // It ends by itself at that time, unless it waits for an answer.
    const lease = await inTime(taking, until + answerGrace * 1000, signal, (late) => void late.release());
    if (lease === null) throw this.#unavailable('the store does not answer');
    return lease;
  }

  async #take(until: number, timeout: number | null, signal: AbortSignal | undefined): Promise<ClusterLease> {
    const bell = new Bell();
    const ends: (() => void)[] = [];
    try {
      // Before anything is read: what changes after that rings.
      ends.push(
        this.#store.watch(() => bell.ring()),
        this.#broker.watch({ restored: () => bell.ring(), closed: () => bell.ring() }),
      );
      if (signal !== undefined) ends.push(whenAborted(signal, () => bell.ring()));
      for (;;) {
        const config = await this.#ready(until, timeout, signal);
        const lease = await this.#attempt(() => this.#takeFree(config));
        if (lease !== null) return lease;
        signal?.throwIfAborted();
        const now = performance.now();
        if (now >= until) throw this.#late(timeout);
        await bell.wait(Math.min(until, this.#nextTakeover()) - now);
        signal?.throwIfAborted();
      }
    } finally {
      for (const end of ends) end();
    }
  }

  async #attempt<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      throw this.#unavailable(`the store does not answer: ${(cause as Error).message}`, cause);
    }
  }

  /**
   * Slots above a limit that was lowered may still be held: so many of the free ones below it, the last of them, stay
   * free. All that ask at once try the same slots, so that the store decides between them.
   *
   * @returns null if all are held by holders that give signs of life
   */
  async #takeFree({ limit, most }: LimitConfig): Promise<ClusterLease | null> {
    const all = await Promise.all(numbers(most).map((slot) => this.#store.slot(slot)));
    all.forEach((entry, slot) => this.#notice(slot, entry));
    const isFree = (slot: number): boolean => all[slot]?.value === null || performance.now() >= this.#expiryOf(slot);
    const free = numbers(limit).filter(isFree);
    const heldAbove = numbers(most).filter((slot) => slot >= limit && !isFree(slot)).length;
    for (const slot of free.slice(0, Math.max(0, free.length - heldAbove))) {
      const askedAt = performance.now();
      const mark = this.#mark();
      const token = await this.#store.writeSlot(slot, mark, all[slot]?.revision ?? 0);
      if (token !== null) return this.#granted(slot, mark, token, askedAt);
      this.#notice(slot, await this.#store.slot(slot));
    }
    return null;
  }

  #granted(slot: number, mark: SlotMark, token: number, askedAt: number): ClusterLease {
    const plan = {
      store: this.#store,
      name: this.name,
      slot,
      mark,
      lease: this.#lease,
      isUp: () => this.#broker.isUp,
      ended: (lease: ClusterLease) => this.#held.delete(lease),
    };
    const lease = new ClusterLease(plan, token, askedAt);
    this.#held.add(lease);
    const memory = this.#memory.get(this.name);
    if (memory !== undefined) memory.token = Math.max(memory.token, token);
    return lease;
  }

  #notice(slot: number, { revision }: Entry<SlotMark>): void {
    if (this.#seen.get(slot)?.revision !== revision) this.#seen.set(slot, { revision, at: performance.now() });
  }

  #expiryOf(slot: number): number {
    return (this.#seen.get(slot)?.at ?? Infinity) + this.#lease * 1000;
  }

  #nextTakeover(): number {
    return Math.min(
      ...[...this.#seen.keys()].map((slot) => this.#expiryOf(slot)),
      performance.now() + this.#lease * 1000,
    );
  }

  #mark(): SlotMark {
    return { owner: randomUUID(), host: hostname(), pid: process.pid, threadId, since: new Date().toISOString() };
  }

  /** The settings, made if there are none. @throws SemaphoreUnavailableError, SemaphoreLimitError */
  async #ready(until: number, timeout: number | null, signal?: AbortSignal): Promise<LimitConfig> {
    const left = Math.max(0.05, Math.min(patience, (until - performance.now()) / 1000));
    const wait = timeout === null ? patience : Math.min(left, patience);
    if (!(await this.#broker.whenUp(wait, signal))) {
      this.#checkOpen();
      throw this.#unavailable(`the NATS server was not there for ${Math.round(wait * 10) / 10} s`);
    }
    const config = await this.#attempt(() => this.#readConfig());
    if (!this.#isAgreed && config.declared !== this.#asked && config.limit !== this.#asked) {
      throw new SemaphoreLimitError(this.name, 'limit', this.#asked, config.limit);
    }
    if (config.lease !== this.#lease) throw new SemaphoreLimitError(this.name, 'lease', this.#lease, config.lease);
    const memory = this.#memory.get(this.name);
    if (memory === undefined) this.#memory.set(this.name, { id: config.id, token: 0 });
    else if (memory.id !== config.id) throw this.#replaced();
    this.#isAgreed = true;
    this.#limit = config.limit;
    return config;
  }

  async #readConfig(): Promise<LimitConfig> {
    const isKnown = this.#memory.has(this.name);
    if (!isKnown) await this.#store.open();
    for (;;) {
      const { value, revision } = await this.#store.config();
      if (value !== null) return value;
      const asked = { declared: this.#asked, limit: this.#asked, most: this.#asked, lease: this.#lease };
      if (isKnown) return { id: '', ...asked };
      const made = { id: randomUUID(), ...asked };
      if ((await this.#store.writeConfig(made, revision)) !== null) return made;
    }
  }

  #replaced(): SemaphoreUnavailableError {
    for (const lease of [...this.#held]) lease.lose('the store was replaced');
    return this.#unavailable(
      'it was replaced: the store has forgotten it, and tokens would begin anew. Make sure that nobody relies on old ones, then call net.resetSemaphore(name).',
    );
  }

  #checkOpen(): void {
    if (this.#broker.isClosed) throw this.#unavailable('its net is closed, make another: await connectNats(…)');
  }

  #unavailable(problem: string, cause?: unknown): SemaphoreUnavailableError {
    return new SemaphoreUnavailableError(this.name, problem, cause);
  }

  #late(timeout: number | null): SemaphoreTimeoutError | SemaphoreUnavailableError {
    // Those before this one wait for the store, too: nobody knows that the slots are held.
    if (!this.#broker.isUp) return this.#unavailable('the NATS server is not there');
    return new SemaphoreTimeoutError(this.name, this.#limit, timeout ?? 0);
  }
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, at) => at);
}
