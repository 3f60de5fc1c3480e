// The bus `Orders`, in a thread of its own.
import { EventBus } from '@threadbus/core';
import { exposeBus } from '@threadbus/worker';
import { query } from './database.js';
import { OrderSaved, Swept } from './events.js';

const orders = new EventBus({ name: 'Orders' });

orders.on(OrderSaved, async function save({ cents }) {
  await query('INSERT INTO orders');
  orders.dispatch(new Swept({})); // nobody waits for it
  return cents;
});

orders.on(Swept, async function sweep() {
  await query('DELETE FROM orders');
});

exposeBus(orders);
