import type { BaseEvent } from '@threadbus/core';
import { type Lifecycle, pathOf } from '@threadbus/core/internal';
import { Arrival, type ArrivalHost, cameOver } from '../incoming/arrival.ts';
import type { RemotePart } from '../outgoing/remote-part.ts';
import { encodePath } from '../wire/event-codec.ts';
import type { WireCall, WireExtra, WireMore, WirePath } from '../wire/protocol.ts';

/** The link that an event goes over. */
export interface MoreHost extends ArrivalHost {
  /** The bus as which this end introduces itself. */
  readonly end: string | null;
}

/** What the event has beside its kind, id and payload; null if nothing, as most. */
export function moreOf({ event, lifecycle, context, to }: RemotePart, host: MoreHost): WireExtra {
  const parentId = event.event_parent_id;
  const ancestors = ancestorsElsewhere(lifecycle, host);
  const isBare = parentId === null && context === null && ancestors === null;
  if (isBare && isPlain(to.call) && isAlone(event, host) && numberAbove(lifecycle, host) === null) {
    return to.call.handlerId;
  }
  const path = encodePath(event, to.bus?.id ?? null);
  if (isBare && path === null && to.call === null) return null;
  return [parentId, path, context, to.call, numberAbove(lifecycle, host), ancestors];
}

/** @param sender the path of what was on no bus but that at the other end */
export function moreFrom(extra: WireExtra, sender: WirePath | null): WireMore | null {
  return typeof extra === 'string' ? [null, sender, null, { resultId: null, handlerId: extra }, null, null] : extra;
}

/** It was on no other bus. */
function isAlone(event: BaseEvent, { end }: MoreHost): boolean {
  const path = pathOf(event);
  return path.length === 1 && end !== null && path[0]?.id === end;
}

function isPlain(call: WireCall | null): call is WireCall {
  return call !== null && call.resultId === null && call.maxRecursionDepth === undefined;
}

/** The number of what came over that link, and is answered only after the event: its parent's, or of one further up. */
function numberAbove(lifecycle: Lifecycle, host: ArrivalHost): number | null {
  for (let event = lifecycle; ;) {
    const above = nextAbove(event);
    if (above === null || above.settled) return null;
    const number = numberOver(above, event.parent, host);
    if (number !== null) return number;
    event = above;
  }
}

/** @param runner whose child is meant; null if that isn't known here */
function numberOver(lifecycle: Lifecycle, runner: Lifecycle['parent'], host: ArrivalHost): number | null {
  if (cameOver(lifecycle, host)) return (lifecycle.extras.cameOver as Arrival).number;
  if (runner === null) return null;
  for (const wait of lifecycle.waits) {
    if (wait instanceof Arrival && wait.host === host && wait.answersFor(runner)) return wait.number;
  }
  return null;
}

/**
 * The nearest ancestor at each of the ends over which the event's ancestors came, unless the other side knows it
 * anyway, because it has sent one that is nearer. As many as there are linked buses, however deep the nesting; none
 * between two alone.
 */
function ancestorsElsewhere(lifecycle: Lifecycle, host: ArrivalHost): readonly string[] | null {
  let found: string[] | null = null;
  for (let event: Lifecycle | null = lifecycle; event !== null; event = nextAbove(event)) {
    const arrival = event.extras.cameOver as Arrival | null;
    if (arrival === null) continue;
    if (arrival.host === host) break;
    found ??= [];
    add(found, arrival.host.otherEnd, arrival.event.event_id);
    const ancestors = arrival.ancestors ?? [];
    for (let at = 0; at < ancestors.length; at += 2) {
      add(found, ancestors[at] as string, ancestors[at + 1] as string);
    }
  }
  return found;
}

function add(found: string[], key: string, id: string): void {
  for (let at = 0; at < found.length; at += 2) if (found[at] === key) return;
  found.push(key, id);
}

function nextAbove({ parent, extras }: Lifecycle): Lifecycle | null {
  return parent === null ? extras.above : parent.lifecycle;
}
