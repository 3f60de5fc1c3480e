import { type IncomingHost, numberAbove } from '../incoming/incoming.ts';
import type { RemotePart } from '../outgoing/remote-part.ts';
import { encodePath } from '../wire/event-codec.ts';
import type { WireMore } from '../wire/protocol.ts';

/** What the event has beside its kind, id and payload; null if nothing, as most. */
export function moreOf({ event, lifecycle, context, to }: RemotePart, host: IncomingHost): WireMore | null {
  const parentId = event.event_parent_id;
  const path = encodePath(event, to.bus?.id ?? null);
  if (parentId === null && path === null && context === null && to.call === null) return null;
  return [parentId, path, context, to.call, numberAbove(lifecycle, host)];
}
