import type { SlotPool } from './slot-pool.ts';

const identities = new WeakMap<SlotPool, SlotPool>();

/** Says that one object is a way to the slots of another one. */
export function samePool(facade: SlotPool, slots: SlotPool): void {
  identities.set(facade, slots);
}

/** The object that stands for a pool's slots, whichever way one has to them. */
export function poolIdentity(pool: SlotPool): SlotPool {
  return identities.get(pool) ?? pool;
}
