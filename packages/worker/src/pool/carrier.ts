import type { ResourceLimits, Worker, WorkerOptions } from 'node:worker_threads';
import { createRequire } from 'node:module';
import type * as piscinaModule from 'piscina';
import { outsideContexts } from '@threadbus/link/internal';
import { poolEntry } from '../entries.ts';
import serve, { type PoolTask } from './pool-task.ts';

/** How threads are started. */
export interface CarrierOptions {
  /** No thread: the task is served where it is given. */
  readonly inline: boolean;
  /** Undefined = those of this process. */
  readonly execArgv: string[] | undefined;
  /** Undefined = a copy of this thread's. */
  readonly env: WorkerOptions['env'];
  readonly resourceLimits: ResourceLimits | undefined;
}

/** What serves the calls of one pool thread. */
export interface Carrier {
  /** Null where no thread does. */
  readonly worker: Worker | null;
  /** Ends it, whatever it does; `ended` is told once it is gone. */
  end(): void;
}

/** How a thread has ended that nobody had asked to. */
export interface CarrierEnd {
  /** What it has thrown; undefined if it has exited. */
  readonly error: unknown;
  readonly code: number;
}

/**
 * Starts a thread and has it serve the task.
 *
 * Each is a piscina of one thread: piscina starts and ends it, and has nothing to decide.
 *
 * @param ended told once when the thread is gone, however that has come about
 * @throws what Node says of options that it refuses, or of a system that allows no more threads
 */
export function startCarrier(task: PoolTask, options: CarrierOptions, ended: (end: CarrierEnd) => void): Carrier {
  return options.inline ? startInline(task, ended) : outsideContexts(() => startThread(task, options, ended));
}

function startThread(task: PoolTask, options: CarrierOptions, ended: (end: CarrierEnd) => void): Carrier {
  const { execArgv, env, resourceLimits } = options;
  const filename = poolEntry().href;
  // In no bundle: it looks for its own files beside itself. Nor before it is needed.
  const { Piscina } = createRequire(import.meta.url)('piscina') as typeof piscinaModule;
  const piscina = new Piscina({
    filename,
    minThreads: 0,
    maxThreads: 1,
    idleTimeout: Infinity,
    concurrentTasksPerWorker: 1,
    recordTiming: false,
    // Otherwise the thread is frozen as soon as its task is served, and the task is served at once.
    atomics: 'disabled',
    ...(execArgv !== undefined && { execArgv }),
    ...(env !== undefined && { env }),
    ...(resourceLimits !== undefined && { resourceLimits }),
  });
  let error: unknown;
  const failed = (reason: unknown): void => {
    error ??= reason;
  };
  // It says of some ends only that they have come about: the thread itself is listened to.
  piscina.on('error', failed);
  const served: Promise<unknown> = piscina.run(task, { transferList: [task.port] });
  const [worker] = piscina.threads;
  if (worker === undefined) throw new Error('Piscina has started no thread.');
  worker.on('error', failed);
  worker.on('exit', (code) => ended({ error, code }));
  served.catch((reason: unknown) => {
    failed(reason);
    void piscina.destroy();
  });
  return { worker, end: () => void piscina.destroy() };
}

function startInline(task: PoolTask, ended: (end: CarrierEnd) => void): Carrier {
  const { port } = task;
  serve(task);
  port.on('close', () => ended({ error: undefined, code: 0 }));
  port.unref();
  return { worker: null, end: () => port.close() };
}
