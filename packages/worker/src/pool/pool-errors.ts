import { BusCapacityError, BusStoppedError } from '@threadbus/core/internal';
import type { PoolCall } from './pool-call.ts';

export function stoppedError(): BusStoppedError {
  return new BusStoppedError(
    'The HandlerPool was stopped. Make a new one, or stop the pool after the buses that use it.',
  );
}

/** A call more than may wait; `running` and `waiting` of the others. */
export function capacityError(call: PoolCall, running: number, waiting: number, maxQueue: number): BusCapacityError {
  const { bus, event, handlerName } = call;
  return new BusCapacityError(
    `HandlerPool at capacity: ${running} calls run and ${waiting} wait for a thread (maxQueue is ${maxQueue}), and it refuses ${handlerName} for ${event.event_type}. Dispatch less at a time, or raise maxQueue or maxThreads.`,
    { busName: bus.name, handlerName, eventType: event.event_type, eventId: event.event_id },
    { pending: waiting, limit: maxQueue },
  );
}
