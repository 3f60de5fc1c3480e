import { isoTime } from '../basics/clock.ts';
import { markOurs } from '../basics/copy.ts';
import { deliveryOf, type EventDelivery } from './event-delivery.ts';
import { type EventOutcome, outcomeOf } from './event-outcome.ts';
import { snapshotOf, type SnapshotOptions } from './event-snapshot.ts';
import type { EventStatus } from './lifecycle.ts';
import { lifecycleOf, ResultHelpers } from './result-helpers.ts';

/** How far an event is, as its life in this thread tells. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- it is what handlers are checked against
export abstract class EventProgress<R, E extends object = object, I = R> extends ResultHelpers<R, E> {
  static {
    markOurs(this.prototype);
  }

  /** Only in types: what handlers may return, which is what the `result` type takes. */
  declare protected readonly event_returns: I;
  abstract readonly event_type: string;
  abstract readonly event_id: string;
  abstract readonly event_path: readonly string[];
  abstract toJSON(): Record<string, unknown>;

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

  /**
   * Everything that is known of the event, as plain JSON: fields, payload (tagged where JSON has no words), status,
   * outcome, times, results with their errors, threads and processes, ids of children. `fromJSON` reads it back.
   *
   * @param options `{ for: 'abxbus' }` or `{ for: 'bubus' }`: the document that those load
   * @throws UnserializableError naming the path of a value that can't be written
   * @example await fs.writeFile('event.json', JSON.stringify(event.eventSnapshot()));
   */
  eventSnapshot(options: SnapshotOptions = {}): Record<string, unknown> {
    return snapshotOf(this as never, options);
  }

  /** When the first handler started; null before. */
  get event_started_at(): string | null {
    return isoTime(lifecycleOf(this).startedAt);
  }

  /** When the last handler and the last child were done; null before. */
  get event_completed_at(): string | null {
    return isoTime(lifecycleOf(this).completedAt);
  }

  /** As text: the buses that had it, its type, the end of its id and how far it is, in bubus's format. */
  override toString(): string {
    const { event_path, event_type, event_id, event_status } = this;
    return `${event_path.join('≫')}▶ ${event_type}#${event_id.slice(-4)} ${statusIcons[event_status]}`;
  }
}

const statusIcons: Record<EventStatus, string> = { pending: '⏳', started: '🏃', completed: '✅' };
