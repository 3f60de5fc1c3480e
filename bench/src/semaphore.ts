import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { retry, Semaphore } from '@threadbus/semaphore';
import { peers, takeWith, type Peer } from './semaphore-peers.ts';
import type { WorkerOrder } from './semaphore-worker.ts';

const PAIR_ROUNDS = 20;
const COMPETITORS = 32;
const COMPETE_MS = 6000;

/** Now, on a clock that all processes of the machine share, in µs. */
const now = (): number => Number(process.hrtime.bigint() / 1000n);

/**
 * Slots over processes, beside raw proper-lockfile and abxbus in the same run: cost without contention, hand-off between
 * processes, recovery after kill -9, and 32 processes that compete for one slot.
 */
export async function semaphore(): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'threadbus-bench-'));
  try {
    await uncontended(directory);
    await handOff(directory);
    await recovery(directory);
    await competition(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function uncontended(directory: string): Promise<void> {
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
  for (let round = 0; round < 40; round++) {
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
  report('acquire and release, nobody else (µs)', [...times], (values) => ({
    p50: round(percentile(values, 50)),
    p90: round(percentile(values, 90)),
    'p50 / proper-lockfile': round(percentile(values, 50) / raw),
  }));
}

async function handOff(directory: string): Promise<void> {
  const times = await Promise.all(
    peers.map(async (peer): Promise<[Peer, number[]]> => {
      const name = `hand-off-${peer}-${process.pid}`;
      const take = takeWith(peer, directory, name);
      const child = await start({ peer, directory, name, competeMs: 0 });
      const found: number[] = [];
      for (let i = 0; i < PAIR_ROUNDS; i++) {
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
  report(`hand-off to a process that waits, ${PAIR_ROUNDS} rounds (ms)`, times, (values) => ({
    p50: round(percentile(values, 50)),
    p90: round(percentile(values, 90)),
    max: round(Math.max(...values)),
    'p50 / threadbus': round(percentile(values, 50) / ours),
  }));
}

async function recovery(directory: string): Promise<void> {
  const rounds: Record<Peer, number> = { threadbus: PAIR_ROUNDS, 'proper-lockfile': 3, abxbus: 8 };
  const times = await Promise.all(
    peers.map(async (peer): Promise<[Peer, number[]]> => {
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
  report('free for a process that waits, after kill -9 of the holder (ms)', times, (values) => ({
    p50: round(percentile(values, 50)),
    max: round(Math.max(...values)),
    rounds: values.length,
  }));
}

async function competition(directory: string): Promise<void> {
  const found: [Peer, number[][]][] = [];
  for (const peer of peers) {
    const order = { peer, directory, name: `competition-${peer}-${process.pid}`, competeMs: COMPETE_MS };
    const children = await Promise.all(Array.from({ length: COMPETITORS }, () => start(order)));
    found.push([peer, (await Promise.all(children.map((child) => tell(child, 'start')))) as number[][]]);
    await Promise.all(children.map((child) => stop(child)));
  }
  report(
    `${COMPETITORS} processes, one slot held for 5 ms, ${COMPETE_MS / 1000} s (waits in ms)`,
    found,
    (perProcess) => {
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
    },
  );
}

async function start(order: WorkerOrder): Promise<ChildProcess> {
  const child = fork(new URL('./semaphore-worker.js', import.meta.url), [JSON.stringify(order)]);
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
  title: string,
  rows: readonly [string, Values][],
  describe: (values: Values) => Record<string, number>,
): void {
  console.log(`\n${title}`);
  console.table(Object.fromEntries(rows.map(([name, values]) => [name, describe(values)])));
}
