// What somebody does with the packages from CommonJS: events, a pool, a bus in a thread, a limit.
const { pathToFileURL } = require('node:url');
const { BaseEvent, EventBus } = require('@threadbus/core');
const { HandlerPool, WorkerBus } = require('@threadbus/worker');
const { retry } = require('@threadbus/semaphore');
const { z } = require('zod');

const file = (name) => pathToFileURL(`${__dirname}/${name}`);

async function main() {
  const Double = BaseEvent.extend('Double', { n: z.number() }, { result: z.number() });
  const bus = new EventBus({ name: 'Main' });
  const pool = new HandlerPool({ maxThreads: 1 });
  const far = await WorkerBus.start(file('far-bus.cjs'), { parent: bus });
  bus.on(Double, pool.handler(file('double.cjs')));
  bus.on(Double, far.dispatch);
  console.log(await bus.dispatch(new Double({ n: 21 })).eventResultsList());
  console.log(await retry({ semaphoreLimit: 1 })(async (text) => text)('limited'));
  await far.stop();
  await pool.stop();
  await bus.stop();
}

void main();
