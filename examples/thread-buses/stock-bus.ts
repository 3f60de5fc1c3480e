// Runs in another thread: reserves what was paid for.
import { EventBus } from '@threadbus/core';
import { exposeBus } from '@threadbus/worker';
import { PaymentTaken } from './events.js';

let left = 10;
const bus = new EventBus({ name: 'Stock' });
bus.on(PaymentTaken, function reserve() {
  left -= 1;
  return `reserved, ${left} left`;
});
exposeBus(bus);
