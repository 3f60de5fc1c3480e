import { SemaphoreLimitError } from '../basics/errors.ts';
import { Recent } from '../basics/recent.ts';
import { defaultDirectory } from '../basics/semaphore-directory.ts';
import type { SlotPool } from '../basics/slot-pool.ts';
import { lockfileSlots } from '../lockfile/multiprocess-semaphore.ts';
import { MemorySlots } from '../memory/memory-slots.ts';
import { fileRate } from '../rate/file-rate.ts';
import { memoryRate } from '../rate/memory-rate.ts';
import { rateConflict, type Rate, type RateLimit } from '../rate/rate-limit.ts';
import { sharedRate } from '../rate/shared-rate.ts';
import { SharedSlots } from '../shared/shared-slots.ts';
import type { SemaphoreScope } from './retry-options.ts';

/** What a call is counted with. */
export interface Counted {
  readonly scope: SemaphoreScope;
  readonly directory: string | undefined;
  /** The name that was given; `undefined`: the function shares with itself alone. */
  readonly name: string | undefined;
  /** The function's own name, for messages. */
  readonly functionName: string;
  /** Tells the function from every other, in all threads. */
  readonly functionKey: string;
  /** The call's `this`. */
  readonly self: unknown;
}

const shared = new Recent<SharedSlots>();
const rates = new Recent<RateLimit>();
// By owner, which is not kept alive; then by name, or by the function.
const owned = new WeakMap<object, { readonly slots: Recent<MemorySlots>; readonly rates: Recent<RateLimit> }>();

/**
 * The slots that a call counts against.
 *
 * @throws {SemaphoreLimitError} the owner has the name with another limit
 */
export function poolOf(limit: number, counted: Counted): SlotPool {
  const { scope, directory, name = counted.functionName } = counted;
  if (scope === 'multiprocess') return lockfileSlots({ name, limit, directory });
  const owner = ownerOf(counted);
  if (owner === undefined) {
    const key = keyOf(counted, String(limit));
    // By limit as well: the shared memory knows which one came first, in whatever thread.
    return shared.get(`${limit} ${key}`, () => new SharedSlots(name, key, limit));
  }
  const pool = ofOwner(owner).slots.get(keyOf(counted, ''), () => new MemorySlots(name, limit));
  if (pool.limit !== limit) throw new SemaphoreLimitError(name, limit, pool.limit);
  return pool;
}

/**
 * The rate that a call's attempts start at.
 *
 * @throws {SemaphoreLimitError} the owner has the name with another rate
 */
export function rateOf(rate: Rate, counted: Counted): RateLimit {
  const { scope, directory, name = counted.functionName } = counted;
  const both = `${rate.limit} ${rate.interval}`;
  if (scope === 'multiprocess') {
    const place = directory ?? defaultDirectory();
    return rates.get(`${both} file ${place} ${name}`, () => fileRate(name, place, rate));
  }
  const owner = ownerOf(counted);
  if (owner === undefined) {
    const key = keyOf(counted, both);
    return rates.get(`${both} ${key}`, () => sharedRate(name, key, rate));
  }
  const found = ofOwner(owner).rates.get(keyOf(counted, ''), () => memoryRate(name, rate));
  const existing = found.rate;
  if (existing.limit !== rate.limit || existing.interval !== rate.interval) {
    throw new SemaphoreLimitError(name, rate.limit, existing.limit, rateConflict(name, rate, existing));
  }
  return found;
}

/** The semaphores of global scope that this thread has used, but for those that it has not used for long. */
export function knownSharedSlots(): Iterable<SlotPool> {
  return shared.values();
}

/** @param numbers of two wrappers of one nameless function that differ in them: they have nothing in common */
function keyOf({ name, functionKey }: Counted, numbers: string): string {
  return name === undefined ? `function ${functionKey} ${numbers}` : `name ${name}`;
}

function ofOwner(owner: object): { readonly slots: Recent<MemorySlots>; readonly rates: Recent<RateLimit> } {
  let own = owned.get(owner);
  if (own === undefined) owned.set(owner, (own = { slots: new Recent(), rates: new Recent() }));
  return own;
}

function ownerOf({ scope, self }: Counted): object | undefined {
  if (scope === 'global' || scope === 'multiprocess') return undefined;
  if (typeof self === 'function') return self;
  if (typeof self !== 'object' || self === null) return undefined;
  if (scope === 'self') return self;
  const type: unknown = self.constructor;
  return typeof type === 'function' ? type : undefined;
}
