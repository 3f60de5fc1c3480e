import { BusCapacityError, WalWriteError } from '../basics/errors.ts';
import type { BaseEvent } from '../event/base-event.ts';
import type { EventLog } from '../log/event-log.ts';
import type { Capacity } from './capacity.ts';

/** A bus without a free place. */
interface FullBus {
  readonly name: string;
  readonly capacity: Capacity;
  readonly loop: { readonly queued: number };
}

export function capacityError(
  { name, capacity, loop }: FullBus,
  { event_type, event_id }: BaseEvent,
): BusCapacityError {
  const { pending } = capacity;
  const limit = capacity.limit ?? 0;
  return new BusCapacityError(
    `EventBus at capacity: ${pending} pending events (${limit} max) on ${name}, ${loop.queued} of them queued and ${pending - loop.queued} in progress, so ${event_type} is refused. Wait with 'await bus.waitForCapacity()' before you dispatch, or raise maxPending.`,
    { busName: name, eventType: event_type, eventId: event_id },
    { pending, limit },
  );
}

/** The same, when lines that the log can't write take the places. */
export function unwrittenError({ name, capacity }: FullBus, log: EventLog, event?: BaseEvent): WalWriteError {
  const { path, unwritten, failure } = log;
  return new WalWriteError(
    `${name} takes no ${event?.event_type ?? 'events'}: ${unwritten} lines can't be written to ${path}, and with them maxPending (${capacity.limit}) events are under way. ${failure?.message}`,
    { busName: name, eventType: event?.event_type, eventId: event?.event_id },
    { path, lines: unwritten },
    { cause: failure?.cause },
  );
}
