import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { WorkerBus } from '@threadbus/worker';
import { Tinypool } from 'tinypool';
import workerpool from 'workerpool';
import { Small } from './threads-events.ts';
import type { Peer } from './threads-peers.ts';
import type { Answer } from './threads-work.ts';

const entry = new URL('./processes-bus.js', import.meta.url);
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** Each has a process of its own answer, with an async handler, which ends with the process. */
export const processPeers: Readonly<Record<string, () => Promise<Peer>>> = {
  async threadbus() {
    const bus = await WorkerBus.start(entry, { isolation: 'process', startTimeout: null });
    return async (payload) => (await bus.dispatch(new Small(payload)).eventResult()) as Answer;
  },
  // oxlint-disable-next-line typescript/require-await -- started like the others
  async 'raw IPC id map'() {
    const child = startRaw();
    const waiting = new Map<number, (value: Answer) => void>();
    let last = 0;
    child.on('message', ({ id, value }: { readonly id: number; readonly value: Answer }) => {
      const resolve = waiting.get(id);
      waiting.delete(id);
      resolve?.(value);
    });
    return async (payload) => {
      last += 1;
      const id = last;
      return new Promise((resolve) => {
        waiting.set(id, resolve);
        child.send({ id, payload });
      });
    };
  },
  // oxlint-disable-next-line typescript/require-await
  async 'tinypool, process'() {
    const pool = new Tinypool({
      filename: here('./threads-task.js'),
      runtime: 'child_process',
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: 512,
      serialization: 'advanced',
    });
    return async (payload) => pool.run(payload) as Promise<Answer>;
  },
  // oxlint-disable-next-line typescript/require-await
  async 'workerpool, process'() {
    const pool = workerpool.pool(here('./processes-workerpool.js'), {
      workerType: 'process',
      // As our streams and the others' carry it.
      forkOpts: { serialization: 'advanced' },
      minWorkers: 1,
      maxWorkers: 1,
    });
    return async (payload) => (await pool.exec('answer', [payload])) as Answer;
  },
  async 'threadbus, in a thread'() {
    const bus = await WorkerBus.start(entry, { startTimeout: null });
    return async (payload) => (await bus.dispatch(new Small(payload)).eventResult()) as Answer;
  },
};

/** With the serialisation that structured data needs. */
export function startRaw(): ChildProcess {
  return fork(here('./processes-raw.js'), { serialization: 'advanced' });
}

/** @returns once it is up */
export async function bareFork(): Promise<ChildProcess> {
  const child = fork(here('./processes-bare.js'), { serialization: 'advanced' });
  await once(child, 'message');
  return child;
}
