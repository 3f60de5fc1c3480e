import { fromEpoch, type Moment, now } from './clock.ts';

/** Milliseconds: a clock that was set by less than that does nobody harm, nor is it told from one that is slewed. */
const smallest = 500;
/** Milliseconds: what is measured in a shorter time than that was measured before anybody set the clock. */
const trusted = 1000;
/** Milliseconds: two clocks are not looked at in one instant. */
const tolerance = 20;
/** So many are remembered. */
const maxSteps = 16;

/** The clock was set by so many milliseconds, some time before it was noticed. */
interface Step {
  readonly noticedAt: Moment;
  readonly by: number;
}

// Kept: programs may put a false clock in its place.
const { performance } = globalThis;

/** The last first. */
let steps: readonly Step[] = [];
/** What the clock shows beyond the time that nobody sets. */
let ahead = Date.now() - performance.now();

/**
 * Milliseconds that have passed since a moment, also if somebody has set the clock meanwhile.
 *
 * Moments are times of the clock, which people read; so they say when something was, but not for how long. What the
 * clock was set by shows only when it is compared with another, which costs as much again as looking at it: that is done
 * here, and not wherever a moment is taken. A moment that may lie on either side of a step counts as the later one.
 */
export function elapsedSince(moment: Moment): number {
  const passed = now() - moment;
  if (passed >= 0 && passed < trusted) return passed;
  noticeSteps();
  let elapsed = now() - moment;
  for (const { noticedAt, by } of steps) {
    // Set back: what lies ahead was before it, what doesn't may be either.
    const wasBefore = by > 0 ? moment <= noticedAt - by + tolerance : elapsed < 0;
    if (!wasBefore) break;
    elapsed -= by;
  }
  return Math.max(0, elapsed);
}

function noticeSteps(): void {
  const epochMs = Date.now();
  const by = epochMs - performance.now() - ahead;
  if (Math.abs(by) < smallest) return;
  ahead += by;
  steps = [{ noticedAt: fromEpoch(epochMs), by }, ...steps].slice(0, maxSteps);
}
