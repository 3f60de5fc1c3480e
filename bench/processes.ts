import { WorkerBus } from '@threadbus/worker';
import { contest } from './contest.ts';
import { bareFork, processPeers } from './processes-peers.ts';
import type { Contestant } from './scenario.ts';
import { burst, roundTrips, sequential } from './threads.ts';
import { smallPayload } from './threads-work.ts';

const busProcess: Contestant = async () => {
  const started = performance.now();
  const bus = await WorkerBus.start(new URL('./processes-bus.js', import.meta.url), { isolation: 'process' });
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

/** Buses in processes, beside what else brings work there; handlers are async. */
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
    contestants: { threadbus: busProcess, 'bare fork': bareProcess },
  },
]);
