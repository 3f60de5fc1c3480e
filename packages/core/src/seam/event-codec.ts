/**
 * What takes an event apart and makes it again, for those that carry it elsewhere.
 *
 * Promises: an event that is made from what these give is the same event (id, times, path, parent, payload), re-classed
 * and not validated again; what its user wrote is neither read nor changed but by `payloadOf`.
 */
export { fromEpoch, fromWire, type Moment, never, now, origin, toEpoch, toWire } from '../basics/clock.ts';
export {
  completionOf,
  createdAtOf,
  type EventConstructor,
  idOriginOf,
  orderOf,
  pathOf,
  setParent,
  setPath,
  statedTimeoutOf,
} from '../event/base-event.ts';
export type { BusIdentity, PathStep } from '../event/bus-names.ts';
export { setDelivery } from '../event/event-delivery.ts';
export { type IdOrigin, newId, ownIds, tailOf, tailOfText } from '../event/event-id.ts';
export { payloadOf } from '../event/event-json.ts';
export { isReserved, pathText } from '../event/event-schema.ts';
export { TrustedFields, TrustedPayload, TrustedValues } from '../event/trusted.ts';
