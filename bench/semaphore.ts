import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { retry, Semaphore } from '@threadbus/semaphore';
import type { BenchOptions, Row, Scenario } from './scenario.ts';
import { peers, takeWith, type Peer } from './semaphore-peers.ts';
import type { WorkerOrder } from './semaphore-worker.ts';

/** Now, on a clock that all processes of the machine share, in µs. */
const now = (): number => Number(process.hrtime.bigint() / 1000n);

/**
 * Slots over processes, beside raw proper-lockfile and abxbus in the same run: cost without contention, hand-off between
 * processes, recovery after kill -9, and 32 processes that compete for one slot.
 */
export const semaphore: Scenario = {
  name: 'semaphore',
  async run(options) {
    const directory = mkdtempSync(join(tmpdir(), 'threadbus-bench-'));
    try {
      return [
        ...(await uncontended(directory, options)),
        ...(await handOff(directory, options)),
        ...(await recovery(directory, options)),
        ...(await competition(directory, options)),
      ];
    } finally {
      rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
    }
  },
};

async function uncontended(directory: string, { quick }: BenchOptions): Promise<Row[]> {
  const inThread = new Semaphore(1);
  const shared = retry({ semaphoreLimit: 1, timeout: null })(async () => {});
  const cases: [string, () => Promise<unknown>][] = [
    ...peers.map((peer): [string, () => Promise<unknown>] => {
      const take = takeWith(peer, directory, `uncontended-${peer}-${process.pid}`);
      return [peer, async () => (await take())()];
    }),
    ['Semaphore', async () => (await inThread.acquire()).release()],
    ["retry, scope 'global'", shared],
  ];
  const times = new Map(cases.map(([name]) => [name, [] as number[]]));
  // In turns, so that what else the machine does hits all of them.
  for (let round = 0; round < (quick ? 4 : 40); round++) {
    for (const [name, run] of cases) {
      for (let i = 0; i < 50; i++) {
        const started = performance.now();
        await run();
        // The first round warms up.
        if (round > 0) times.get(name)?.push((performance.now() - started) * 1000);
      }
    }
  }
  const raw = percentile(times.get('proper-lockfile'), 50);
  return report('acquire and release, nobody else (µs)', [...times], (values) => ({
    p50: round(percentile(values, 50)),
    p90: round(percentile(values, 90)),
    'p50 / proper-lockfile': round(percentile(values, 50) / raw),
  }));
}

async function handOff(directory: string, { quick }: BenchOptions): Promise<Row[]> {
  const rounds = quick ? 3 : 20;
  const times = await Promise.all(
    peers.map(async (peer): Promise<[Peer, number[]]> => {
      const name = `hand-off-${peer}-${process.pid}`;
      const take = takeWith(peer, directory, name);
      const child = await start({ peer, directory, name, competeMs: 0 });
      const found: number[] = [];
      for (let i = 0; i < rounds; i++) {
        await tell(child, 'hold');
        const taken = take().then((giveBack) => ({ giveBack, at: now() }));
        // Long enough for those that poll to have settled at their longest pause.
        await sleep(1200 + Math.random() * 1000);
        const released = (await tell(child, 'release')) as number;
        const { giveBack, at } = await taken;
        found.push((at - released) / 1000);
        await giveBack();
      }
      await stop(child);
      return [peer, found];
    }),
  );
  const ours = percentile(times[0]?.[1], 50);
  return report('hand-off to a process that waits (ms)', times, (values) => ({
    p50: round(percentile(values, 50)),
    p90: round(percentile(values, 90)),
    max: round(Math.max(...values)),
    'p50 / threadbus': round(percentile(values, 50) / ours),
  }));
}

async function recovery(directory: string, { quick }: BenchOptions): Promise<Row[]> {
  // A dead holder's lock is given up by proper-lockfile after 10 s.
  const rounds = quick
    ? { threadbus: 2, 'proper-lockfile': 0, abxbus: 1 }
    : { threadbus: 20, 'proper-lockfile': 3, abxbus: 8 };
  const tried = peers.filter((peer) => rounds[peer] > 0);
  const times = await Promise.all(
    tried.map(async (peer): Promise<[Peer, number[]]> => {
      const name = `recovery-${peer}-${process.pid}`;
      const take = takeWith(peer, directory, name);
      const found: number[] = [];
      for (let i = 0; i < rounds[peer]; i++) {
        const child = await start({ peer, directory, name, competeMs: 0 });
        await tell(child, 'hold');
        const taken = take().then((giveBack) => ({ giveBack, at: now() }));
        await sleep(300 + Math.random() * 300);
        const killed = now();
        child.kill('SIGKILL');
        const { giveBack, at } = await taken;
        found.push((at - killed) / 1000);
        await giveBack();
      }
      return [peer, found];
    }),
  );
  return report('free for a process that waits, after kill -9 of the holder (ms)', times, (values) => ({
    p50: round(percentile(values, 50)),
    max: round(Math.max(...values)),
    rounds: values.length,
  }));
}

async function competition(directory: string, { quick }: BenchOptions): Promise<Row[]> {
  const [competitors, competeMs] = quick ? [8, 1000] : [32, 6000];
  const found: [Peer, number[][]][] = [];
  for (const peer of peers) {
    const order = { peer, directory, name: `competition-${peer}-${process.pid}`, competeMs };
    const children = await Promise.all(Array.from({ length: competitors }, () => start(order)));
    found.push([peer, (await Promise.all(children.map((child) => tell(child, 'start')))) as number[][]]);
    await Promise.all(children.map((child) => stop(child)));
  }
  return report(`${competitors} processes, one slot held for 5 ms (waits in ms)`, found, (perProcess) => {
    const waits = perProcess.flat().map((wait) => wait / 1000);
    const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
    const turns = perProcess.map((own) => own.length);
    return {
      turns: waits.length,
      mean: round(mean),
      p99: round(percentile(waits, 99)),
      max: round(Math.max(...waits)),
      'max / mean': round(Math.max(...waits) / mean),
      'fewest turns': Math.min(...turns),
      'most turns': Math.max(...turns),
    };
  });
}

async function start(order: WorkerOrder): Promise<ChildProcess> {
  const child = fork(new URL('./src/semaphore-worker.js', import.meta.url), [JSON.stringify(order)]);
  await once(child, 'message');
  return child;
}

async function tell(child: ChildProcess, order: string): Promise<unknown> {
  const answer = once(child, 'message');
  child.send(order);
  return ((await answer) as [unknown])[0];
}

async function stop(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.disconnect();
  await exit;
}

function percentile(values: readonly number[] = [], percent: number): number {
  const ordered = [...values];
  ordered.sort((a, b) => a - b);
  const value = ordered[Math.min(ordered.length - 1, Math.floor((ordered.length * percent) / 100))];
  if (value === undefined) throw new Error('Expected measurements, got none.');
  return value;
}

const round = (value: number): number => Number(value.toPrecision(3));

function report<Values>(
  load: string,
  found: readonly [string, Values][],
  describe: (values: Values) => Record<string, number>,
): Row[] {
  return found.map(([who, values]) => ({ load, who, ...describe(values) }));
}
