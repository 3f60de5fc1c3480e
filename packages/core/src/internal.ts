/**
 * What sibling packages build upon. No promise of stability: not for applications.
 */
export {
  createdAtOf,
  type EventConstructor,
  idOriginOf,
  orderOf,
  pathOf,
  setParent,
  setPath,
} from './event/base-event.ts';
export type { BusEngine } from './bus/bus-engine.ts';
export type { BusIdentity, PathStep } from './event/bus-names.ts';
export { enterTree, noEventError, passed, skip } from './event/causality.ts';
export { Capacity } from './bus/capacity.ts';
export { fromEpoch, fromWire, type Moment, never, now, origin, toEpoch, toWire } from './basics/clock.ts';
export { activeHandler, liveHandler, waitFor } from './event/context.ts';
export { describe } from './basics/describe.ts';
export { checkDispatchOptions, rememberTransfer, takeTransfer, type Transferable } from './event/dispatch.ts';
export { checkLimit, checkSize, checkWait, type Limit } from './basics/duration.ts';
export { payloadOf } from './event/event-json.ts';
export { adoptIdentity, busEngine } from './bus/event-bus.ts';
export { type IdOrigin, newId, ownIds, tailOf, tailOfText } from './event/event-id.ts';
export {
  addChild,
  completedAtOf,
  knownIdOf,
  sourceOf,
  startedAtOf,
  resultRestored,
  resultSettled,
  type ResultSource,
  type ResultState,
  resultStarted,
} from './event/event-result.ts';
export { pathText } from './event/event-schema.ts';
export { Fifo } from './basics/fifo.ts';
export {
  type AnyHandler,
  kindOf,
  nameOf,
  type ForwardTarget,
  forwardTarget,
  forwardTo,
  type RemoteHandler,
  type HandlerEntry,
  remoteHandler,
} from './handlers/handler.ts';
export { abortedError, HandlerRun, type RunHost, type RunWatch, watchRuns } from './run/handler-run.ts';
export { showAs } from './basics/inspect.ts';
export { defaultLogger } from './basics/logger.ts';
export { checkFlag, checkOptions, checkSignal } from './basics/options.ts';
export type { Lifecycle, Part, Runner, Wait } from './event/lifecycle.ts';
export { type Linked, LinkedList } from './basics/linked-list.ts';
export { patternKey } from './event/pattern.ts';
export { lifecycleOf } from './event/result-helpers.ts';
export { subscription } from './basics/subscription.ts';
export { TrustedFields, TrustedPayload, TrustedValues } from './event/trusted.ts';
export { startTimer, type Timer } from './basics/timer.ts';
