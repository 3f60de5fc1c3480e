import { EventBus } from '@threadbus/core';
import { exposeBus } from '@threadbus/worker';
import { Buffers } from './threads-events.ts';
import { answerBytes } from './threads-work.ts';

// Nothing else holds on to a buffer once it is answered for, so this bus doesn't either.
const bus = new EventBus({ name: 'Buffers', maxPending: null, maxHistorySize: 0 });
bus.on(Buffers, ({ bytes }) => answerBytes(bytes));
exposeBus(bus);
