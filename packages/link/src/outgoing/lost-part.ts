import type { EventResult } from '@threadbus/core';
import { type BusIdentity, type Lifecycle, listOf } from '@threadbus/core/internal';

const suffix = '.link';

/** Id of what stands for all handlers of a bus at the other end of a link. */
export function partHandlerId({ id }: Readonly<BusIdentity>): string {
  return `${id}${suffix}`;
}

/** One of the event's results says that what became of it on some bus is not known: a copy may be under way there. */
export function hasLostPart({ results }: Lifecycle): boolean {
  for (const { handler_id, eventbus_id } of listOf(results) as readonly EventResult[])
    if (handler_id.length === eventbus_id.length + suffix.length && handler_id.endsWith(suffix)) return true;
  return false;
}
