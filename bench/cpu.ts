import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { BaseEvent, EventBus } from '@threadbus/core';
import { HandlerPool } from '@threadbus/worker';
import { Piscina } from 'piscina';
import { Tinypool } from 'tinypool';
import workerpool from 'workerpool';
import { z } from 'zod';
import { contest } from './contest.ts';
import run, { type Kind } from './cpu-work.ts';
import { check, type Contestant, type Load, type Measure } from './scenario.ts';

const task = new URL('./cpu-work.js', import.meta.url);
const Job = BaseEvent.extend('Job', { kind: z.enum(['arithmetic', 'hashing', 'terser', 'nothing']) });

/** Has its threads run and warm before what counts, then all jobs at once; every answer is looked at. */
async function jobs(count: number, kind: Kind, one: () => PromiseLike<unknown>, measure: Measure): Promise<void> {
  const expected = await run({ kind });
  await Promise.all([one(), one(), one(), one()]);
  await measure(async () => {
    const answers = await Promise.all(Array.from({ length: count }, one));
    check(answers.filter((answer) => answer === expected).length, count);
  });
}

/** Made once in the contestant's process, and ended with it: pools live long, and so get warm. */
function kept<Pool>(make: () => Pool, one: (pool: Pool) => PromiseLike<unknown>, kind: Kind): Contestant {
  let pool: Pool | undefined;
  return async (count, measure) => {
    pool ??= make();
    const made = pool;
    await jobs(count, kind, () => one(made), measure);
  };
}

function busOf(threads: number): EventBus {
  const bus = new EventBus({ maxPending: null });
  bus.on(Job, new HandlerPool({ maxThreads: threads, minThreads: threads }).handler<number>(task));
  return bus;
}

function onBus(threads: number, kind: Kind): Contestant {
  const make = (): EventBus => {
    if (threads > 0) return busOf(threads);
    const bus = new EventBus({ maxPending: null });
    bus.on(Job, async () => run({ kind }));
    return bus;
  };
  return kept(make, async (bus) => bus.dispatch(new Job({ kind })).eventResult(), kind);
}

const two = { minThreads: 2, maxThreads: 2 };

type Manner = (count: number, one: () => PromiseLike<unknown>) => Promise<unknown[]>;

/** How calls that do nothing follow each other: what a call costs. */
const manners: Readonly<Record<string, Manner>> = {
  async 'in turn'(count, one) {
    const answers: unknown[] = [];
    for (let n = 0; n < count; n += 1) answers.push(await one());
    return answers;
  },
  async '512 in flight'(count, one) {
    const answers: unknown[] = [];
    let left = count;
    const lane = async (): Promise<void> => {
      for (; left > 0; left -= 1) answers.push(await one());
    };
    await Promise.all(Array.from({ length: 512 }, lane));
    return answers.slice(0, count);
  },
};

function calls<Pool>(make: () => Pool, one: (pool: Pool) => PromiseLike<unknown>, manner: Manner): Contestant {
  let pool: Pool | undefined;
  return async (count, measure) => {
    pool ??= make();
    const made = pool;
    await Promise.all([one(made), one(made), one(made), one(made)]);
    await measure(async () => {
      const answers = await manner(count, () => one(made));
      check(answers.filter((answer) => answer === 1).length, count);
    });
  };
}

/** piscina also in its best way with many calls at a time: several in each thread. */
function callLoads(): Load[] {
  const one = async (pool: Piscina<{ kind: Kind }, number>): Promise<number> => pool.run({ kind: 'nothing' });
  return Object.entries(manners).map(([name, manner]) => ({
    name: `empty call, ${name}`,
    unit: 'µs per call',
    ratio: '× as fast',
    size: 10_000,
    quick: 500,
    rounds: 9,
    contestants: {
      threadbus: calls(
        () => busOf(2),
        async (bus) => bus.dispatch(new Job({ kind: 'nothing' })).eventResult(),
        manner,
      ),
      piscina: calls(() => new Piscina({ filename: task.href, ...two }), one, manner),
      'piscina, 512 in a thread': calls(
        () => new Piscina({ filename: task.href, ...two, concurrentTasksPerWorker: 512 }),
        one,
        manner,
      ),
    },
  }));
}

function inPiscina(kind: Kind): Contestant {
  const make = (): Piscina<{ kind: Kind }, number> => new Piscina({ filename: task.href, ...two });
  return kept(make, async (pool) => pool.run({ kind }), kind);
}

function inTinypool(kind: Kind): Contestant {
  const make = (): Tinypool => new Tinypool({ filename: task.href, ...two });
  return kept(make, async (pool) => pool.run({ kind }) as Promise<unknown>, kind);
}

function inWorkerpool(kind: Kind): Contestant {
  const script = fileURLToPath(new URL('./cpu-workerpool.js', import.meta.url));
  const make = (): workerpool.Pool => workerpool.pool(script, { minWorkers: 2, maxWorkers: 2, workerType: 'thread' });
  return kept(make, async (pool) => pool.exec('run', [{ kind }]) as PromiseLike<unknown>, kind);
}

/** The longest time that main did nothing else, in ms, while others work. */
function stall(contestant: Contestant): Contestant {
  return async (count) => {
    const delay = monitorEventLoopDelay({ resolution: 1 });
    await contestant(count, async (work) => {
      delay.enable();
      // Its first tick only starts the count.
      await sleep(5);
      await work();
      // What was blocked up to now is seen by the next tick of its timer.
      await sleep(5);
      delay.disable();
    });
    return delay.max / 1e6;
  };
}

const sizes: Readonly<Record<Kind, Pick<Load, 'size' | 'quick' | 'rounds'>>> = {
  arithmetic: { size: 60, quick: 8, rounds: 7 },
  hashing: { size: 60, quick: 8, rounds: 7 },
  terser: { size: 40, quick: 4, rounds: 4 },
  nothing: { size: 2_000, quick: 200, rounds: 7 },
};

function load(kind: Kind): Load {
  return {
    ...sizes[kind],
    name: `${kind}, 2 threads`,
    unit: 'µs per handler',
    ratio: '× as fast',
    contestants: {
      threadbus: onBus(2, kind),
      'threadbus, 1 thread': onBus(1, kind),
      'threadbus, on main': onBus(0, kind),
      piscina: inPiscina(kind),
      tinypool: inTinypool(kind),
      workerpool: inWorkerpool(kind),
    },
  };
}

/** CPU-heavy handlers in a pool of 2 threads, beside 1 thread, no thread, and other pools of 2. */
export const cpu = contest('cpu', [
  load('arithmetic'),
  load('hashing'),
  load('terser'),
  load('nothing'),
  ...callLoads(),
  {
    name: 'longest stall of main',
    unit: 'ms',
    ratio: '× as much',
    size: 60,
    quick: 8,
    rounds: 7,
    contestants: {
      threadbus: stall(onBus(2, 'arithmetic')),
      piscina: stall(inPiscina('arithmetic')),
      'threadbus, on main': stall(onBus(0, 'arithmetic')),
    },
  },
]);
