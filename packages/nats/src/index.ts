/**
 * Buses, durable queues and limits over processes and machines, on NATS. All durations are seconds.
 *
 * @module @threadbus/nats
 */
export * from './basics/errors.ts';
export type { NatsConnectionLike } from './broker/connection.ts';
export { connectNats } from './connect-nats.ts';
export type { ConnectOptions } from './connect-nats.ts';
export type { JoinOptions } from './link/join-options.ts';
export { JoinedBus } from './link/joined-bus.ts';
export type { LinkStatus } from './link/liveness.ts';
export { Offer } from './link/offer.ts';
export type { ServeOptions } from './link/serve.ts';
export { NatsNet } from './nats-net.ts';
export {
  isLinkError,
  isLinkLostError,
  LinkError,
  LinkLostError,
  type LostOutcome,
  registerErrorClass,
} from '@threadbus/link';
