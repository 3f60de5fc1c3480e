import type { Subscription } from '@threadbus/core';
import { subscription } from '@threadbus/core/internal';

const watchers = new Set<() => void>();

/** Calls it when the process ends, by force or by itself: only what needs no turn of the event loop can be done then. */
export function atExit(call: () => void): Subscription {
  if (watchers.size === 0) process.on('exit', tellAll);
  watchers.add(call);
  return subscription(() => {
    watchers.delete(call);
    if (watchers.size === 0) process.off('exit', tellAll);
  });
}

function tellAll(): void {
  for (const call of watchers) call();
}
