/**
 * An event's part on one bus: what stands for the work on it elsewhere, and the results that come of it.
 *
 * Promises: an event with an open part is not complete; a part that is done once is done for good; promotion and
 * cancelling reach every part that is open, also those that are attached later.
 */
export { cancelWith } from '../event/cancellation.ts';
export { enterTree, noEventError, passed, skip } from '../event/causality.ts';
export { hasTransfer, takeTransfer } from '../event/dispatch.ts';
export {
  addChild,
  completedAtOf,
  knownIdOf,
  resultRestored,
  type ResultSource,
  ranInOf,
  resultStarted,
  setRanIn,
  type ThreadPlace,
  sourceOf,
  startedAtOf,
} from '../event/event-result.ts';
export { extrasOf } from '../event/life-extras.ts';
export { chaseOn, letPass } from '../event/chase.ts';
export { PassedProbes } from '../event/passed-probes.ts';
export type { FarWait } from '../event/life-parts.ts';
export type { Lifecycle, Part, Runner, Wait } from '../event/lifecycle.ts';
export { lifecycleOf } from '../event/result-helpers.ts';
