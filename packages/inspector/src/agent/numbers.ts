import { EventBus } from '@threadbus/core';
import { liveHandlerPools, liveWorkerBuses } from '@threadbus/worker/internal';
import type { Numbers } from '../basics/messages.ts';

/** Of each kind; who has more is shown the first. */
const most = 100;

/** How the buses and pools of this thread are. */
export function numbersHere(): Numbers {
  const buses = [];
  for (const bus of EventBus.allInstances) {
    if (buses.length === most) break;
    buses.push({ name: bus.name, ...bus.stats() });
  }
  return {
    buses,
    links: liveWorkerBuses()
      .filter((bus) => bus.threadId >= 0)
      .slice(0, most)
      .map((bus) => ({ name: bus.name, threadId: bus.threadId, pid: bus.pid, ...bus.stats() })),
    pools: liveHandlerPools()
      .slice(0, most)
      .map((pool) => pool.stats()),
  };
}
