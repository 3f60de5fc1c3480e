import { isoTime } from '../basics/clock.ts';
import { deliveryOf, type EventDelivery } from './event-delivery.ts';
import { type EventOutcome, outcomeOf } from './event-outcome.ts';
import type { EventStatus } from './lifecycle.ts';
import { lifecycleOf, ResultHelpers } from './result-helpers.ts';

/** How far an event is, as its life in this thread tells. */
export abstract class EventProgress<R, E extends object = object> extends ResultHelpers<R, E> {
  /** 'pending' until the first handler starts, 'completed' once all handlers and all children are done. */
  get event_status(): EventStatus {
    return lifecycleOf(this).status;
  }

  /**
   * What became of the event, null until it is completed: 'failed' if a handler ended with an error of its own, a
   * timeout included; else 'cancelled' if a handler was cancelled or aborted before its end; else 'succeeded'.
   */
  get event_outcome(): EventOutcome | null {
    return outcomeOf(lifecycleOf(this));
  }

  /** Which delivery of a durable queue this is; null for an event that came from none. Not part of its JSON. */
  get event_delivery(): EventDelivery | null {
    return deliveryOf(this);
  }

  /** When the first handler started; null before. */
  get event_started_at(): string | null {
    return isoTime(lifecycleOf(this).startedAt);
  }

  /** When the last handler and the last child were done; null before. */
  get event_completed_at(): string | null {
    return isoTime(lifecycleOf(this).completedAt);
  }
}
