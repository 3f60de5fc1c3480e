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
export { ClusterLease } from './limits/cluster-lease.ts';
export { NatsSemaphore } from './limits/nats-semaphore.ts';
export type {
  ClusterHolder,
  ClusterReport,
  NatsAcquireOptions,
  NatsSemaphoreOptions,
} from './limits/semaphore-options.ts';
export { JoinedBus } from './link/joined-bus.ts';
export type { LinkStatus } from './link/liveness.ts';
export { Offer } from './link/offer.ts';
export type { ServeOptions } from './link/serve.ts';
export { Crew } from './queue/crew.ts';
export type { CrewCloseOptions, WorkOptions } from './queue/crew.ts';
export { DeadLetter } from './queue/dead-letter.ts';
export type { EnqueueOptions } from './queue/enqueuing.ts';
export { NatsQueue } from './queue/nats-queue.ts';
export type { QueueStats } from './queue/nats-queue.ts';
export type { CompletedOptions } from './queue/outcomes.ts';
export type { QueueOptions } from './queue/queue-options.ts';
export type { FollowOptions, ReplayOptions } from './queue/reading.ts';
export { Receipt } from './queue/receipt.ts';
export { NatsNet } from './nats-net.ts';
export {
  isLinkError,
  isLinkLostError,
  LinkError,
  LinkLostError,
  type LostOutcome,
  registerErrorClass,
} from '@threadbus/link';
