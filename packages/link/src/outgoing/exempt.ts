import type { Lifecycle, Part } from '@threadbus/core/internal';
import { RemotePart } from './remote-part.ts';

/** It needs none of the places: see Outgoing. */
export function isExempt(part: RemotePart): boolean {
  const isAway = (other: Part): boolean => other !== part && other instanceof RemotePart && other.state !== 'done';
  for (let event: Lifecycle | undefined = part.lifecycle; event !== undefined; event = event.parent?.lifecycle) {
    if (event.awaited || event.extras.cameOver !== null || event.somePart(isAway)) return true;
  }
  return false;
}
