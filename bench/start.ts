import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { contest } from './contest.ts';
import type { Contestant } from './scenario.ts';

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
const core = async (): Promise<unknown> => import('@threadbus/core');

const dispatchOurs: Contestant = async () => {
  const { BaseEvent, EventBus } = await import('@threadbus/core');
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
  const { WorkerBus } = await import('@threadbus/worker');
  const started = performance.now();
  const bus = await WorkerBus.start(new URL('./start-bus.js', import.meta.url));
  const took = performance.now() - started;
  await bus.stop();
  return took;
};

const bareThread: Contestant = async () => {
  await import('@threadbus/worker');
  const started = performance.now();
  const worker = new Worker(new URL('./start-bare.js', import.meta.url));
  await once(worker, 'message');
  const took = performance.now() - started;
  await worker.terminate();
  return took;
};

const shared = { unit: 'ms', ratio: '× as much', size: 1, quick: 1, rounds: 9, fresh: true } as const;

/** What happens once in a process, each time in a new one. */
export const start = contest('start', [
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
      threadbus: imports(async () => import('@threadbus/worker'), core),
      piscina: imports(async () => import('piscina')),
    },
  },
  {
    ...shared,
    name: 'import semaphore',
    contestants: {
      threadbus: imports(async () => import('@threadbus/semaphore')),
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
