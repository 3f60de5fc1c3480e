/** Something to look at: orders that come in, with errors, retries, forwards and kills, until Ctrl-C. */
import { setTimeout as pause } from 'node:timers/promises';
import { EventBus } from '@threadbus/core';
import { inspect } from '@threadbus/inspector';
import { retry } from '@threadbus/semaphore';
import { HandlerPool, WorkerBus } from '@threadbus/worker';
import { Charge, FileFound, Order, Resize, Stored } from './events.js';

const { url } = await inspect({ port: Number(process.env['PORT'] ?? 0) });

// What fails on purpose is for the page; here it would only be noise.
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const main = new EventBus({ name: 'Main', logger: quiet, concurrency: 4 });
const mail = new EventBus({ name: 'Mail', logger: quiet });
const pool = new HandlerPool({ maxThreads: 2 });
const index = await WorkerBus.start(new URL('./index-bus.js', import.meta.url), { parent: main });

main.on(Order, async function take({ number }) {
  await main.dispatch(new Charge({ amount: number * 7 })).eventResult({ raiseIfAny: false });
  const files = ['front', 'back'].map((side) => main.dispatch(new FileFound({ path: `${number}/${side}.jpg` })));
  await Promise.all([...files, main.dispatch(new Resize({ width: 10 + (number % 200) }))]);
});

const charge = retry({ retries: 2, wait: 0.02, logger: quiet })(async function charge({ amount }: Charge) {
  await pause(5 + Math.random() * 20);
  if (Math.random() < 0.4) throw new Error(`the bank did not answer, amount=${amount} token=4711-0815`);
  return 'paid';
});
main.on(Charge, charge);
main.on(Resize, pool.handler<number>(new URL('./resize.js', import.meta.url)));
main.on(FileFound, index.dispatch);
main.on(Stored, mail.dispatch);
mail.on(Stored, async function tell() {
  await pause(Math.random() * 15);
});

console.log(`Open ${url}`);
console.log('Ctrl-C ends it.');

const stopped = new AbortController();
process.once('SIGINT', () => stopped.abort());
for (let number = 1; !stopped.signal.aborted; number += 1) {
  main.dispatch(new Order({ number, customer: { name: 'Ada', token: 'nobody sees this' } }));
  await pause(40 + Math.random() * 120, undefined, { signal: stopped.signal }).catch(() => undefined);
}

await main.stop({ timeout: 5 });
await Promise.all([mail.stop(), index.stop(), pool.stop()]);
console.log('stopped');
