import { AsyncResource } from 'node:async_hooks';
import { clearTimeout, setTimeout } from './node-clock.ts';

/** The context of no request. */
const outside = new AsyncResource('threadbus.watch');

/** Node fires a timer at once when its delay does not fit into 31 bits; longer waits are cut into such pieces. */
const longestDelay = 2 ** 31 - 1;

/** A started timer; `cancel` may be called at any time and more than once. */
export interface Timer {
  cancel(): void;
}

/**
 * The one door to timers: calls `fire` once after so many seconds, however many they are.
 *
 * @param keepAlive whether the process must stay up for it; `false` for everything that only watches.
 */
export function startTimer(seconds: number, fire: () => void, keepAlive: boolean): Timer {
  let left = Math.ceil(seconds * 1000);
  let handle: NodeJS.Timeout;
  const arm = (): void => {
    const delay = Math.min(left, longestDelay);
    left -= delay;
    handle = setTimeout(left > 0 ? arm : fire, delay);
    if (!keepAlive) handle.unref();
  };
  // A timer holds the async context that it was started in: one that only watches must not hold a request's.
  if (keepAlive) arm();
  else outside.runInAsyncScope(arm);
  return { cancel: () => clearTimeout(handle) };
}
