import { BusError, isBusError } from '@threadbus/core/internal';

/** Two buses can't be linked: other protocol versions, one name twice, or a port that is closed. @example await linkBuses(bus, port).then(undefined, (error) => isLinkError(error) && port.close()); */
export class LinkError extends BusError {
  static {
    this.prototype.name = 'LinkError';
  }
  override readonly code: string = 'ERR_LINK';
}

/** True for a LinkError, a LinkLostError included, whichever copy of the package or thread it comes from. */
export function isLinkError(error: unknown): error is LinkError {
  return isBusError(error) && (error.code === 'ERR_LINK' || error.code === 'ERR_LINK_LOST');
}

/**
 * What is known of an event whose link was lost: it never left (`unsent`), it may have run or may run still
 * (`unknown`), or its handlers had begun (`started`).
 */
export type LostOutcome = 'unsent' | 'unknown' | 'started';

/** What a LinkLostError is about. */
export interface LinkLostPlace {
  /** Name of the bus at the other end. */
  readonly bus: string;
  /** Absent if the error is about no event. */
  readonly event?: { readonly event_id: string; readonly event_type: string } | undefined;
}

/**
 * The bus at the other end can't be reached any more: `outcome` says what is known of the event.
 *
 * It is unreachable, which need not mean that it has ended: what it had started may go on over there.
 *
 * @example
 * ```ts
 * const found = await index.dispatch(new FileFound({ path })).eventResult().catch((error) => {
 *   if (isLinkLostError(error) && error.outcome === 'unsent') return queueForLater(path);   // it has not run
 *   throw error;
 * });
 * ```
 */
export class LinkLostError extends LinkError {
  static {
    this.prototype.name = 'LinkLostError';
  }
  override readonly code: string = 'ERR_LINK_LOST';
  /** Name of the bus at the other end. */
  readonly bus: string;
  /** What is known of the event; null for a wait that was about none, as of `expect()`. */
  readonly outcome: LostOutcome | null;

  constructor(message: string, { bus, event }: LinkLostPlace, outcome: LostOutcome | null, options?: ErrorOptions) {
    super(message, { busName: bus, eventId: event?.event_id, eventType: event?.event_type }, options);
    this.bus = bus;
    this.outcome = outcome;
  }
}

/** True for a LinkLostError, whichever copy of the package or thread it comes from. */
export function isLinkLostError(error: unknown): error is LinkLostError {
  return isBusError(error) && error.code === 'ERR_LINK_LOST';
}
