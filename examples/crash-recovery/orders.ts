// A process that ships orders. Its log knows which have come and which are done, so one that is killed is started again
// and goes on: that is the three lines behind `recover`.
import { appendFileSync, readFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { BaseEvent, compactWal, EventBus, readWal } from '@threadbus/core';
import { z } from 'zod';

const [walPath = '', shipped = '', task = ''] = process.argv.slice(2);
const ShipOrder = BaseEvent.extend('ShipOrder', { number: z.number() });

const bus = new EventBus({ name: 'Orders', walPath, walMode: 'ahead', maxPending: null });
bus.on(ShipOrder, async function ship({ number }) {
  appendFileSync(shipped, `${number}\n`);
  if (task === 'take' && number === 5_000) {
    await nextTurn(); // the log catches up with what was done before
    process.kill(process.pid, 'SIGKILL');
  }
});

if (task === 'take') {
  const taken = Array.from({ length: 10_000 }, (_, i) => bus.dispatch(new ShipOrder({ number: i + 1 })));
  await Promise.all(taken.map((dispatch) => dispatch.logged())); // from here on none of them can be lost
  await bus.waitUntilIdle();
} else if (task === 'recover') {
  for await (const order of readWal(walPath, { incomplete: true })) bus.dispatch(order);
  await bus.waitUntilIdle();
  await compactWal(walPath);
  console.log(`left in the log: ${readFileSync(walPath, 'utf8').length} bytes`);
}
await bus.stop();
