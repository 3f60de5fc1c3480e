// Work that must not get lost: stored by the broker, run by workers, two of which and the broker are killed.
import { once } from 'node:events';
import { connectNats } from '@threadbus/nats';
import { Broker, startProcess } from '../broker.js';
import { Invoice, invoices } from './jobs.js';

await using broker = await Broker.start();
await using net = await connectNats({ servers: broker.url, namespace: 'office' });
const queue = await net.queue('invoices', invoices);
const startWorker = () => startProcess(new URL('./worker.js', import.meta.url), broker.url);

// Nobody works yet: they wait in the store.
const customers = ['Ada', 'Bob', 'Cleo', 'Dan', 'Eve'];
const receipts = await Promise.all(
  Array.from({ length: 50 }, (_, n) =>
    queue.enqueue(new Invoice({ customer: customers[n % 5] ?? '', number: Math.floor(n / 5) + 1, cents: 1000 + n })),
  ),
);
console.log(`stored: ${receipts.length}, ${(await queue.stats()).waiting} of them wait`);

const first = await startWorker();
await receipts[5]?.completed();
first.kill('SIGKILL');
const second = await startWorker();
await receipts[25]?.completed();
await broker.kill();
await broker.start();
const done = await Promise.all(receipts.map((receipt) => receipt.completed({ timeout: 30 })));
console.log(`done: ${done.filter(({ event_outcome }) => event_outcome === 'succeeded').length}`);
console.log(`the last: ${await done.at(-1)?.eventResult()}`);

// One that fails each time ends in the dead letters, with its last error, until somebody has mended the cause.
const failed = await queue.enqueue(new Invoice({ customer: 'Zoe', number: 1, cents: 4200 }));
await failed.completed({ timeout: 30 });
for await (const dead of queue.deadLetters()) {
  console.log(`dead: ${dead.event.customer}, after ${dead.deliveries} deliveries: ${dead.error.message}`);
  second.send('the rates are in');
  await once(second, 'message');
  await dead.redrive();
  const again = await queue.completed(dead.event.event_id, { timeout: 30 });
  console.log(`redriven: ${await again.eventResult()}`);
}
second.send('that is all');
await once(second, 'message');
console.log(`left: ${JSON.stringify(await queue.stats())}`);
second.kill('SIGKILL');
