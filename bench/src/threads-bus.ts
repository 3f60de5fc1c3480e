import { EventBus } from '@threadbus/core';
import { exposeBus } from '@threadbus/worker';
import { Buffers, Compute, Count, Counted, Small } from './threads-events.ts';
import { answer, answerBytes, compute } from './threads-work.ts';

const bus = new EventBus({ name: 'Bench', maxPending: null, maxHistorySize: 50 });
let count = 0;
bus.on(Small, (event) => answer(event));
bus.on(Compute, () => compute());
bus.on(Buffers, ({ bytes }) => answerBytes(bytes));
bus.on(Count, () => {
  count += 1;
});
bus.on(Counted, () => count);
exposeBus(bus);
