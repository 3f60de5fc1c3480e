/**
 * Buses, durable queues and limits over processes and machines, on NATS. All durations are seconds.
 *
 * @module @threadbus/nats
 */
export * from './basics/errors.ts';
export {
  isLinkError,
  isLinkLostError,
  LinkError,
  LinkLostError,
  type LostOutcome,
  registerErrorClass,
} from '@threadbus/link';
