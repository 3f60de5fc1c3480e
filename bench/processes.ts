import { execFileSync } from 'node:child_process';
import { WorkerBus } from '@threadbus/worker';
import { contest } from './contest.ts';
import { bareFork, processPeers } from './processes-peers.ts';
import type { Contestant } from './scenario.ts';
import { burst, roundTrips, sequential } from './threads.ts';
import { smallPayload } from './threads-work.ts';

const entry = new URL('./processes-bus.js', import.meta.url);

const startOf =
  (isolation: 'thread' | 'process'): Contestant =>
  async () => {
    const started = performance.now();
    const bus = await WorkerBus.start(entry, { isolation, startTimeout: null });
    const took = performance.now() - started;
    await bus.stop();
    return took;
  };

const bareProcess: Contestant = async () => {
  const started = performance.now();
  const child = await bareFork();
  const took = performance.now() - started;
  child.kill('SIGKILL');
  return took;
};

/** What a process keeps in memory, in MB. */
function residentOf(pid: number): number {
  return Number(execFileSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' })) / 1024;
}

/** What a bus takes here and in its process, once it is up. */
const memoryOf =
  (isolation: 'thread' | 'process'): Contestant =>
  async () => {
    const before = process.memoryUsage.rss();
    const bus = await WorkerBus.start(entry, { isolation, startTimeout: null });
    const here = (process.memoryUsage.rss() - before) / 2 ** 20;
    const there = isolation === 'process' ? residentOf(bus.pid) : 0;
    await bus.stop();
    return here + there;
  };

const bareMemory: Contestant = async () => {
  const child = await bareFork();
  const there = residentOf(child.pid as number);
  child.kill('SIGKILL');
  return there;
};

/** Buses in processes, beside what else brings work there, and beside themselves in threads; handlers are async. */
export const processes = contest('processes', [
  roundTrips('burst 512, 300 B', burst, smallPayload, { size: 10_240, quick: 512, rounds: 7 }, processPeers),
  roundTrips('sequential, 300 B', sequential, smallPayload, { size: 3_000, quick: 100, rounds: 7 }, processPeers),
  {
    name: 'start',
    unit: 'ms',
    ratio: '× as much',
    size: 1,
    quick: 1,
    rounds: 9,
    fresh: true,
    contestants: {
      threadbus: startOf('process'),
      'bare fork': bareProcess,
      'threadbus, in a thread': startOf('thread'),
    },
  },
  {
    name: 'memory',
    unit: 'MB',
    ratio: '× as much',
    size: 1,
    quick: 1,
    rounds: 5,
    fresh: true,
    contestants: {
      threadbus: memoryOf('process'),
      'bare fork': bareMemory,
      'threadbus, in a thread': memoryOf('thread'),
    },
  },
]);
