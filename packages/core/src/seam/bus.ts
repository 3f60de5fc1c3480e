/**
 * A bus to deliver to, from outside: its engine, what may be registered on it, and its places.
 *
 * Promises: `accept` takes an event over without running anything of it; a forward never holds the serial slot; what a
 * bus has refused has left no trace.
 */
export type { BusEngine } from '../bus/bus-engine.ts';
export type { Twins } from '../bus/twins.ts';
export { type Places, waitForCapacity } from '../bus/back-pressure.ts';
export { Capacity } from '../bus/capacity.ts';
export { busEngine, loggerOf } from '../bus/bus-reader.ts';
export { reportFailures } from '../bus/bus-reports.ts';
export { checkEventsOptions, EventStream } from '../bus/event-stream.ts';
export { checkExpectOptions, isExpected } from '../bus/expect.ts';
export { checkDispatchOptions, rememberTransfer } from '../event/dispatch.ts';
export { observeUnwritten } from '../log/unwritten.ts';
export { takesOneArgument } from '../handlers/handler-source.ts';
export { patternKey } from '../event/pattern.ts';
export { matchesType } from '../event/type-pattern.ts';
export {
  type AnyHandler,
  checkOnOptions,
  type ForwardTarget,
  forwardTarget,
  forwardTo,
  type HandlerEntry,
  kindOf,
  nameOf,
  type RemoteHandler,
  remoteHandler,
} from '../handlers/handler.ts';
