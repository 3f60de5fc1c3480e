/**
 * The class of buses, which brings all that runs and logs events: apart from the rest, because a pool's thread has none.
 *
 * Promises: who imports nothing but `internal` loads no bus.
 */
export { adoptIdentity, EventBus } from '../bus/event-bus.ts';
