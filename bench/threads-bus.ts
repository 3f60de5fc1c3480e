import { EventBus } from '@threadbus/core';
import { exposeBus } from '@threadbus/worker';
import { Compute, Count, Counted, Small, SmallSync } from './threads-events.ts';
import { answer, compute } from './threads-work.ts';

const bus = new EventBus({ name: 'Bench', maxPending: null, maxHistorySize: 50 });
let count = 0;
bus.on(Small, async (event) => answer(event));
bus.on(SmallSync, (event) => answer(event));
bus.on(Compute, () => compute());
bus.on(Count, () => {
  count += 1;
});
bus.on(Counted, () => count);
exposeBus(bus);
