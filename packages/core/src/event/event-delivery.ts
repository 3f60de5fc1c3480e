/** How an event came out of a durable queue. */
export interface EventDelivery {
  /** The queue's name. */
  readonly queue: string;
  /** Which try this is, from 1: the handlers may have run before. */
  readonly count: number;
  /** Of the event among those of the queue. */
  readonly sequence: number;
  /** By which the queue keeps order; null for a queue without keys. */
  readonly key: string | null;
}

const deliveries = new WeakMap<object, EventDelivery>();

export function deliveryOf(event: object): EventDelivery | null {
  return deliveries.get(event) ?? null;
}

/** From now on the event says how it came. */
export function setDelivery(event: object, delivery: EventDelivery): void {
  deliveries.set(event, delivery);
}
