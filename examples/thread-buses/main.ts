// An app of three buses in three threads that forward events to each other: one await, one tree.
import { EventBus } from '@threadbus/core';
import { WorkerBus } from '@threadbus/worker';
import { OrderPlaced, PaymentTaken } from './events.js';

await using main = new EventBus({ name: 'Main' });
await using billing = await WorkerBus.start(new URL('./billing-bus.js', import.meta.url), { parent: main });
await using stock = await WorkerBus.start(new URL('./stock-bus.js', import.meta.url), { parent: main });

main.on(OrderPlaced, billing.dispatch);
let total = 0;
main.on(PaymentTaken, function book({ cents }) {
  total += cents;
});
main.on(PaymentTaken, stock.dispatch);

const event = await main.dispatch(new OrderPlaced({ order: 1, cents: 4200 })); // waits for all three threads
console.log(await event.eventResult(), event.event_path);
console.log(`booked on the main thread: ${total}`);
// Without the times and ids, which differ from run to run.
console.log(main.logTree().replaceAll(/#\w+| \[.*?\)\]/g, ''));
