// What somebody does with the packages from TypeScript; compiled, and run.
import { BaseEvent, EventBus, type EventResult, isHandlerTimeoutError, readWal } from '@threadbus/core';
import { type Lease, MultiprocessSemaphore, retry } from '@threadbus/semaphore';
import { HandlerPool, WorkerBus, WorkerBusGroup, exposeBus, linkBuses, parentBus } from '@threadbus/worker';
import { z } from 'zod';

class Add extends BaseEvent.extend('Add', { a: z.number(), b: z.number() }, { result: z.number(), timeout: 5 }) {}

class Service {
  @retry({ retries: 1, semaphoreLimit: 2, semaphoreScope: 'class' })
  async add(event: Add): Promise<number> {
    return event.a + event.b;
  }
}

async function main(): Promise<void> {
  const bus = new EventBus({ name: 'Main' });
  const service = new Service();
  bus.on(Add, (event) => service.add(event));
  const event = await bus.dispatch(new Add({ a: 1, b: 2 }));
  const sum: number = await event.eventResult();
  const [result]: EventResult<number, BaseEvent>[] = [...event.event_results.values()];
  console.log(sum, result?.status, isHandlerTimeoutError(result?.error));
  // @ts-expect-error: the payload is wrong
  if (sum === 0) void new Add({ a: 'one', b: 2 });
  // @ts-expect-error: the result is wrong
  if (sum === 0) bus.on(Add, () => 'three');
  await bus.stop();
}

/** Only compiled: the types of what is not called here. */
export async function others(lease: Lease): Promise<unknown[]> {
  const far = await WorkerBus.start('file:///bus.js');
  const group = await WorkerBusGroup.start('file:///bus.js', { size: 2 });
  const pool = new HandlerPool();
  far.on(Add, pool.handler<number>('file:///add.js'));
  return [far, group, lease, exposeBus, linkBuses, parentBus, MultiprocessSemaphore, readWal];
}

void main();
