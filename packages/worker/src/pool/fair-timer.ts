import { startTimer, type Timer } from '@threadbus/core/internal';
import { monotonic } from '../thread/monotonic.ts';

/** Seconds by which a timer may be late before its lateness is held against nobody. */
const late = 0.1;
/** A thread that is always late must not keep others for ever. */
const maxRounds = 4;

/**
 * Calls `fire` when others have had so many seconds in which this thread was there, too.
 *
 * If this thread was blocked or the process stopped meanwhile, so may the others have been, and what they have sent was
 * not read: then they get the time again.
 */
export function startFairTimer(seconds: number, fire: () => void, keepAlive: boolean): Timer {
  let timer: Timer;
  let rounds = 0;
  const arm = (): void => {
    const due = monotonic() + seconds;
    timer = startTimer(
      seconds,
      () => {
        rounds += 1;
        if (monotonic() > due + late && rounds < maxRounds) arm();
        else fire();
      },
      keepAlive,
    );
  };
  arm();
  return { cancel: () => timer.cancel() };
}
