import { EventBus } from '@threadbus/core';
import { exposeBus } from '@threadbus/worker';
import { Small } from './threads-events.ts';
import { answer } from './threads-work.ts';

const bus = new EventBus({ name: 'Bench', maxPending: null, maxHistorySize: 50 });
bus.on(Small, async (event) => Promise.resolve(answer(event)));
exposeBus(bus);
