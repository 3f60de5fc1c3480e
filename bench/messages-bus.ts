// The thread with a bus: counts, and gives buffers back.
import { EventBus } from '@threadbus/core';
import { exposeBus } from '@threadbus/worker';

const bus = new EventBus({ name: 'Messages', maxPending: null });
let count = 0;
bus.on('Count', () => void (count += 1));
bus.on('Counted', () => count);
bus.on('First', (event) => (event as unknown as { bytes: Uint8Array }).bytes[0]);
exposeBus(bus);
