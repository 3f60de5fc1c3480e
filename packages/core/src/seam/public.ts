/**
 * The public values but the bus, by a way on which no zod is loaded: the packages that run in threads take them from here, and types
 * from the index.
 */
export * from '../basics/errors.ts';
export * from '../basics/first-result-error.ts';
export { BaseEvent } from '../event/base-event.ts';
export { Dispatch } from '../event/dispatch.ts';
export { EventResult } from '../event/event-result.ts';
export { instrument } from '../event/instrument.ts';
