import { SemaphoreLimitError } from '../basics/errors.ts';
import { MemorySlots } from '../memory/memory-slots.ts';
import { lockfileSlots } from '../lockfile/multiprocess-semaphore.ts';
import type { ResolvedLimit } from './retry-options.ts';
import { SharedSlots } from '../shared/shared-slots.ts';
import type { SlotPool } from '../basics/slot-pool.ts';

/** A function that has a limit. */
export interface LimitedFunction {
  /** Its own name, for messages. */
  readonly name: string;
  /** Tells it from every other function, in all threads. */
  readonly key: string;
}

const shared = new Map<string, SharedSlots>();
// By owner, which is not kept alive; then by name, or by the function.
const owned = new WeakMap<object, Map<string, MemorySlots>>();

/**
 * The slots that a call counts against.
 *
 * @param self the call's `this`
 * @throws {SemaphoreLimitError} the owner has the name with another limit
 */
export function poolOf(semaphore: ResolvedLimit, fn: LimitedFunction, self: unknown): SlotPool {
  const { scope, limit, directory, name = fn.name } = semaphore;
  if (scope === 'multiprocess') return lockfileSlots({ name, limit, directory });
  const owner = scope === 'global' ? undefined : ownerOf(scope, self);
  if (owner === undefined) return sharedSlots(semaphore, fn);
  let pools = owned.get(owner);
  if (pools === undefined) owned.set(owner, (pools = new Map<string, MemorySlots>()));
  const key = semaphore.name === undefined ? `function ${fn.key}` : `name ${name}`;
  let pool = pools.get(key);
  if (pool === undefined) pools.set(key, (pool = new MemorySlots(name, limit)));
  if (pool.limit !== limit) throw new SemaphoreLimitError(name, limit, pool.limit);
  return pool;
}

/** The semaphores of global scope that this thread has used. */
export function knownSharedSlots(): Iterable<SlotPool> {
  return shared.values();
}

function sharedSlots({ name, limit }: ResolvedLimit, fn: LimitedFunction): SharedSlots {
  // Two wrappers of one nameless function may differ in their limits: they have nothing in common.
  const key = name === undefined ? `function ${fn.key} ${limit}` : `name ${name}`;
  // By limit as well: the shared memory knows which one came first, in whatever thread.
  const local = `${limit} ${key}`;
  let pool = shared.get(local);
  if (pool === undefined) shared.set(local, (pool = new SharedSlots(name ?? fn.name, key, limit)));
  return pool;
}

function ownerOf(scope: 'class' | 'self', self: unknown): object | undefined {
  if (typeof self === 'function') return self;
  if (typeof self !== 'object' || self === null) return undefined;
  if (scope === 'self') return self;
  const type: unknown = self.constructor;
  return typeof type === 'function' ? type : undefined;
}
