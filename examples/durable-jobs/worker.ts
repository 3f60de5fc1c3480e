// A worker: takes events of the queue and runs them on its bus.
import { EventBus } from '@threadbus/core';
import { connectNats } from '@threadbus/nats';
import { Invoice, invoices } from './jobs.js';

const [servers = ''] = process.argv.slice(2);
let ratesAreThere = false;
const ignore = (): void => undefined;
const bus = new EventBus({
  name: 'Office',
  maxPending: null,
  logger: { debug: ignore, info: ignore, warn: ignore, error: ignore },
});
bus.on(Invoice, async ({ customer, number, cents, event_delivery: delivery }) => {
  await new Promise((resolve) => void setTimeout(resolve, 20));
  if (customer === 'Zoe' && !ratesAreThere) throw new Error(`no exchange rate (delivery ${delivery?.count})`);
  return `${customer} #${number}: ${(cents / 100).toFixed(2)}`;
});
process.on('message', () => {
  ratesAreThere = true;
  process.send?.('rates are there');
});
const net = await connectNats({ servers, namespace: 'office' });
(await net.queue('invoices', invoices)).work(bus, { concurrency: 8 });
process.send?.('ready');
