// One of several processes: does its jobs, never more at once than the limit that all of them share.
import { once } from 'node:events';
import { retry } from '@threadbus/semaphore';

const [directory, jobs] = process.argv.slice(2);
const told = once(process, 'message'); // until then, whoever has a slot stays in it

const job = retry({
  semaphoreLimit: 2,
  semaphoreScope: 'multiprocess',
  semaphoreName: 'shared-limit-example',
  semaphoreDirectory: directory,
  semaphoreTimeout: 60,
  semaphoreLax: false,
  timeout: null,
  retries: 0,
})(async function job() {
  const start = process.hrtime.bigint().toString(); // of the machine: the same clock in all processes
  process.send?.({ start });
  await told;
  await new Promise((resolve) => setTimeout(resolve, 20));
  process.send?.({ start, end: process.hrtime.bigint().toString() });
});

await Promise.all(Array.from({ length: Number(jobs) }, () => job()));
process.disconnect?.();
