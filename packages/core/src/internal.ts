/**
 * What sibling packages build upon. No promise of stability: not for applications.
 */
export { createdAtOf, type EventConstructor, idOriginOf, orderOf, pathOf, setParent, setPath } from './base-event.ts';
export type { BusEngine } from './bus-engine.ts';
export type { BusIdentity, PathStep } from './bus-names.ts';
export { enterTree, noEventError, passed, skip } from './causality.ts';
export { Capacity } from './capacity.ts';
export { fromEpoch, fromWire, type Moment, never, now, origin, toEpoch, toWire } from './clock.ts';
export { activeHandler, liveHandler, waitFor } from './context.ts';
export { describe } from './describe.ts';
export { checkDispatchOptions, rememberTransfer, takeTransfer, type Transferable } from './dispatch.ts';
export { checkLimit, checkSize, checkWait, type Limit } from './duration.ts';
export { payloadOf } from './event-json.ts';
export { adoptIdentity, busEngine } from './event-bus.ts';
export { type IdOrigin, newId, ownIds, tailOf, tailOfText } from './event-id.ts';
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
} from './event-result.ts';
export { pathText } from './event-schema.ts';
export { Fifo } from './fifo.ts';
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
} from './handler.ts';
export { abortedError, HandlerRun, type RunHost, type RunWatch, watchRuns } from './handler-run.ts';
export { showAs } from './inspect.ts';
export { defaultLogger } from './logger.ts';
export { checkFlag, checkOptions, checkSignal } from './options.ts';
export type { Lifecycle, Part, Runner, Wait } from './lifecycle.ts';
export { type Linked, LinkedList } from './linked-list.ts';
export { patternKey } from './pattern.ts';
export { lifecycleOf } from './result-helpers.ts';
export { subscription } from './subscription.ts';
export { TrustedFields, TrustedPayload, TrustedValues } from './trusted.ts';
export { startTimer, type Timer } from './timer.ts';
