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
const net = await connectNats({ servers, namespace: 'office' });
const crew = (await net.queue('invoices', invoices)).work(bus, { concurrency: 8 });
process.on('message', (message) => void obey(message));
process.send?.('ready');

async function obey(message: unknown): Promise<void> {
  if (message === 'the rates are in') ratesAreThere = true;
  // Whoever waits for an event hears of its end before the broker does: in order, all of it is told.
  else await crew.close();
  process.send?.('done');
}
