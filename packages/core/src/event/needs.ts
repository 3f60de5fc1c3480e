import type { FarWait } from './life-parts.ts';
import { anyForeignWaits, type Lifecycle } from './lifecycle.ts';

/**
 * True if `event` can't complete before `other` does: it is `other`, or an incomplete child of it needs `other`, or one
 * of its handlers awaits an event that does. Over other threads `startChase` finds it.
 */
export function needs(event: Lifecycle, other: Lifecycle): boolean {
  if (event === other) return true;
  if (event.status === 'pending' && event.openChildren === 0) return false;
  if (anyForeignWaits()) return dependentsOf(other).has(event);
  // Handlers await children of their own events only: what needs `other` are its ancestors.
  let above: Lifecycle = other;
  while (above.depth > event.depth && above.parent !== null) above = above.parent.lifecycle;
  return above === event;
}

/**
 * All events of this thread that need this one, itself included. Climbs: an event has few ancestors, but may have many
 * children.
 *
 * @param far gets what needs one of them in another thread
 */
export function dependentsOf(event: Lifecycle, far?: FarWait[]): ReadonlySet<Lifecycle> {
  const needing = new Set<Lifecycle>([event]);
  for (const { parent, waits } of needing) {
    if (parent !== null) needing.add(parent.lifecycle);
    for (const wait of waits) {
      if (wait.runner !== null && !wait.runner.settled) needing.add(wait.runner.lifecycle);
      if (wait.far !== undefined) far?.push(wait.far);
    }
  }
  return needing;
}
