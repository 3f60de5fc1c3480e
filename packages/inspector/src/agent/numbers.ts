import { EventBus } from '@threadbus/core/internal/bus';
import { liveHandlerPools, liveWorkerBuses } from '@threadbus/worker/internal';
import type { Numbers } from '../basics/messages.ts';

/** Of each kind. */
const most = 100;

/** How the buses and pools of this thread are. */
export function numbersHere(): Numbers {
  const all = Array.from(EventBus.allInstances, (bus) => ({ name: bus.name, ...bus.stats() }));
  return {
    buses: all.length <= most ? all : busiest(all),
    more: Math.max(0, all.length - most),
    links: liveWorkerBuses()
      .filter((bus) => bus.threadId >= 0)
      .slice(0, most)
      .map((bus) => ({ name: bus.name, threadId: bus.threadId, pid: bus.pid, ...bus.stats() })),
    pools: liveHandlerPools()
      .slice(0, most)
      .map((pool) => pool.stats()),
  };
}

/** Those with the longest queues; of the others those that have done most. */
function busiest(buses: Numbers['buses']): Numbers['buses'] {
  return [...buses]
    .sort((a, b) => b.queued + b.inProgress - (a.queued + a.inProgress) || b.completed - a.completed)
    .slice(0, most);
}
