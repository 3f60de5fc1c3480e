import { checkOptions, describe } from '@threadbus/core/internal';

/** Options of `net.semaphore` and `net.slots`. */
export interface NatsSemaphoreOptions {
  /** How many leases there may be at once. */
  readonly limit: number;
  /** Seconds after which a holder that gives no sign has lost its slot; at least 1. @default 15 */
  readonly lease?: number | undefined;
}

/** How long to wait for a slot, and what ends the wait. */
export interface NatsAcquireOptions {
  /** Seconds; 0 looks once, null waits without limit. @default null */
  readonly timeout?: number | null | undefined;
  /** Ends the wait with its reason. @default none */
  readonly signal?: AbortSignal | undefined;
  /** One slot a lease: more is a TypeError. @default 1 */
  readonly permits?: number | undefined;
}

/** Who holds a slot. */
export interface ClusterHolder {
  /** From 0 to limit - 1. */
  readonly slot: number;
  /** Null: a number that means nothing on another machine. */
  readonly pid: null;
  /** Null, as `pid`. */
  readonly threadId: null;
  /** Whether it lives shows only in time: its slot is taken over after `lease` seconds of silence. */
  readonly state: 'unknown';
  /** ISO 8601, by the holder's clock. */
  readonly since: string;
  /** The holder's machine. */
  readonly host: string;
}

/** Who holds at one moment. */
export interface ClusterReport {
  /** The semaphore's. */
  readonly name: string;
  /** All processes of the namespace share it. */
  readonly scope: 'cluster';
  /** How many leases there may be at once. */
  readonly limit: number;
  /** Null: it is kept in the store. */
  readonly directory: null;
  /** By slot. */
  readonly holders: readonly ClusterHolder[];
  /** Those of other processes aren't known. */
  readonly waiters: readonly [];
}

export interface ResolvedSemaphoreOptions {
  readonly limit: number;
  readonly lease: number;
}

/** @throws TypeError */
export function checkSemaphoreOptions(options: NatsSemaphoreOptions): ResolvedSemaphoreOptions {
  checkOptions('semaphore', options, ['limit', 'lease']);
  const { limit, lease = 15 } = options;
  checkLimitOption(limit);
  if (typeof lease !== 'number' || !(lease >= 1) || lease === Infinity) {
    throw new TypeError(`Expected lease to be a number of seconds from 1 up; got ${describe(lease)}.`);
  }
  return { limit, lease };
}

/** @throws TypeError */
export function checkLimitOption(limit: unknown): void {
  if (Number.isSafeInteger(limit) && (limit as number) >= 1 && (limit as number) <= 10_000) return;
  throw new TypeError(`Expected limit to be a whole number from 1 to 10,000; got ${describe(limit)}.`);
}

/** @throws TypeError */
export function checkPermits(permits: unknown): void {
  if (permits === undefined || permits === 1) return;
  throw new TypeError(`Expected permits to be 1: a lease over machines holds one slot; got ${describe(permits)}.`);
}
