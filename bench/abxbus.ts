import * as theirs from './abxbus-loads.ts';
import { contest } from './contest.ts';
import * as ours from './threadbus-loads.ts';

const shared = { unit: 'µs per event', ratio: '× as fast' } as const;

/**
 * The five loads that abxbus measures itself by.
 *
 * Both sides send in batches of 500 and wait until the bus is idle, which is the fastest way of either: abxbus's own
 * suite awaits each event, which costs it up to twice as much. Histories are as that suite sets them, 512 or 128
 * events, the oldest dropped; `event_handler_detect_file_paths` is off, because abxbus calls it slow.
 */
export const abxbus = contest('abxbus', [
  {
    ...shared,
    name: '50k events × 1 handler',
    size: 50_000,
    quick: 2_000,
    contestants: { threadbus: ours.stream, abxbus: theirs.stream },
  },
  {
    ...shared,
    name: '500 buses × 100 events',
    size: 50_000,
    quick: 2_000,
    contestants: { threadbus: ours.manyBuses, abxbus: theirs.manyBuses },
  },
  {
    ...shared,
    name: '1 event × 50k parallel handlers',
    unit: 'µs per handler',
    size: 50_000,
    quick: 2_000,
    contestants: { threadbus: ours.parallelHandlers, abxbus: theirs.parallelHandlers },
  },
  {
    ...shared,
    name: '50k one-off handlers',
    size: 50_000,
    quick: 2_000,
    contestants: { threadbus: ours.oneOffHandlers, abxbus: theirs.oneOffHandlers },
  },
  {
    ...shared,
    name: 'worst case, 1 at a time',
    size: 1_500,
    quick: 150,
    contestants: { threadbus: ours.worstCaseInTurn, abxbus: theirs.worstCaseInTurn },
  },
  {
    ...shared,
    name: 'worst case, 50 at a time',
    size: 15_000,
    quick: 1_500,
    contestants: { threadbus: ours.worstCaseAtOnce, abxbus: theirs.worstCaseAtOnce },
  },
]);
