// TypeScript that is compiled to CommonJS: `require` of an ES module.
import core = require('@threadbus/core');
import semaphore = require('@threadbus/semaphore');
import worker = require('@threadbus/worker');

export const bus: core.EventBus = new core.EventBus({ name: 'FromCommonJs' });
export const limit: semaphore.SlotPool = new semaphore.Semaphore(1);
export const pool: worker.HandlerPool = new worker.HandlerPool();
console.log(String(bus).slice(0, 'FromCommonJs'.length));
void bus.stop();
void pool.stop();
