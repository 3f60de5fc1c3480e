// Runs in a thread of its own: takes the payment, and tells the main bus of it.
import { EventBus } from '@threadbus/core';
import { exposeBus, parentBus } from '@threadbus/worker';
import { OrderPlaced, PaymentTaken } from './events.js';

const bus = new EventBus({ name: 'Billing' });
bus.on(OrderPlaced, async function takePayment({ order, cents }) {
  // Runs on the main thread and in the stock's, ahead of their queues; this handler is suspended until it is done.
  const stock = await parentBus().dispatch(new PaymentTaken({ order, cents })).eventResult();
  return `paid, ${stock}`;
});
exposeBus(bus);
