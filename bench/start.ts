import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type * as Core from '@threadbus/core';
import type * as Buses from '@threadbus/worker';
import { contest } from './contest.ts';
import { packedPackage, packedProgram, preparePacked } from './packed.ts';
import type { Contest, Contestant } from './scenario.ts';

// Nothing is imported up here that a contestant's import would then find loaded.

/** In ms; `before` is what its user has loaded already. */
function imports(load: () => Promise<unknown>, before?: () => Promise<unknown>): Contestant {
  return async () => {
    await before?.();
    const started = performance.now();
    await load();
    return performance.now() - started;
  };
}

const zod = async (): Promise<unknown> => import('zod');
const core = async (): Promise<unknown> => import(packedPackage('core').href);

const dispatchOurs: Contestant = async () => {
  const { BaseEvent, EventBus } = (await import(packedPackage('core').href)) as typeof Core;
  const started = performance.now();
  const First = BaseEvent.extend('First', {});
  const bus = new EventBus();
  bus.on(First, () => {});
  await bus.dispatch(new First());
  return performance.now() - started;
};

const dispatchTheirs: Contestant = async () => {
  const { BaseEvent, EventBus } = await import('abxbus');
  const started = performance.now();
  const First = BaseEvent.extend('First', {});
  const bus = new EventBus();
  bus.on(First, () => {});
  await bus.emit(First({})).wait();
  return performance.now() - started;
};

const dispatchEmittery: Contestant = async () => {
  const { default: Emittery } = await import('emittery');
  const started = performance.now();
  const emitter = new Emittery();
  emitter.on('first', () => {});
  await emitter.emit('first', {});
  return performance.now() - started;
};

const busThread: Contestant = async () => {
  const { WorkerBus } = (await import(packedPackage('worker').href)) as typeof Buses;
  const started = performance.now();
  const bus = await WorkerBus.start(packedProgram('start-bus.js'));
  const took = performance.now() - started;
  await bus.stop();
  return took;
};

const bareThread: Contestant = async () => {
  await import(packedPackage('worker').href);
  const started = performance.now();
  const worker = new Worker(packedProgram('start-bare.js'));
  await once(worker, 'message');
  const took = performance.now() - started;
  await worker.terminate();
  return took;
};

const shared = { unit: 'ms', ratio: '× as much', size: 1, quick: 1, rounds: 9, fresh: true } as const;

const loads = contest('start', [
  {
    ...shared,
    name: 'import core, zod loaded',
    contestants: {
      threadbus: imports(core, zod),
      'abxbus, zod loaded': imports(async () => import('abxbus'), zod),
      emittery: imports(async () => import('emittery')),
    },
  },
  { ...shared, name: 'import core', contestants: { threadbus: imports(core), zod: imports(zod) } },
  {
    ...shared,
    name: 'import worker, core loaded',
    contestants: {
      threadbus: imports(async () => import(packedPackage('worker').href), core),
      piscina: imports(async () => import('piscina')),
    },
  },
  {
    ...shared,
    name: 'import semaphore',
    contestants: {
      threadbus: imports(async () => import(packedPackage('semaphore').href)),
      'proper-lockfile': imports(async () => import('proper-lockfile')),
    },
  },
  {
    ...shared,
    name: 'first dispatch',
    contestants: { threadbus: dispatchOurs, abxbus: dispatchTheirs, emittery: dispatchEmittery },
  },
  { ...shared, name: 'WorkerBus.start', contestants: { threadbus: busThread, 'bare Worker': bareThread } },
]);

/** What happens once in a process, each time in a new one, with the packages as they are published. */
export const start: Contest = {
  ...loads,
  run: async (options) => {
    preparePacked(['start-bus.js', 'start-bare.js']);
    return loads.run(options);
  },
};
