import { performance } from 'node:perf_hooks';
import { WorkerBus, WorkerBusGroup } from '@threadbus/worker';
import { type BenchOptions, median, type Row, rounded, type Scenario } from '../scenario.ts';
import { Buffers, Compute, Count, Counted } from './threads-events.ts';
import { onOneCore } from './threads-one-core.ts';
import { type Mover, startRawPeer } from './threads-peers.ts';
import { roundTrips } from './threads-round-trips.ts';
import { type BytesAnswer, compute, smallPayload } from './threads-work.ts';

const busUrl = new URL('./threads-bus.js', import.meta.url);
const buffersUrl = new URL('./threads-buffers-bus.js', import.meta.url);

/** Round trips of events whose results are merged into them, beside piscina, comlink and a raw map of ids. */
export const threads: Scenario = {
  name: 'threads',
  async run(options) {
    return [
      ...(await roundTrips(options)),
      ...(await onOneCore(options)),
      ...(await oneWay(options)),
      ...(await megabyte(options)),
      ...(await scaling(options)),
    ];
  },
};

async function oneWay({ quick }: BenchOptions): Promise<Row[]> {
  await using bus = await WorkerBus.start(busUrl);
  const count = quick ? 1_000 : 20_000;
  const times: number[] = [];
  for (let round = 1; round <= 4; round += 1) {
    const started = performance.now();
    for (let n = 0; n < count; n += 1) {
      if (n % 256 === 0) await bus.waitForCapacity();
      bus.dispatch(new Count(smallPayload(n) as never));
    }
    const counted = await bus.dispatch(new Counted({})).eventResult();
    if (counted !== round * count) throw new Error(`Expected ${round * count} events there, got ${String(counted)}.`);
    times.push(((performance.now() - started) * 1000) / count);
  }
  return [{ load: 'one way, 300 B', 'threadbus µs': rounded(median(times), 1), best: rounded(Math.min(...times), 1) }];
}

/**
 * Four at a time; the answer is small, so only what is sent differs. A thread collects garbage after some thirty of
 * them, whichever way they came: the medians show the ways themselves. Before, both ways are run often with little, so that
 * it is compiled code that is measured.
 */
async function megabyte({ quick }: BenchOptions): Promise<Row[]> {
  await using bus = await WorkerBus.start(buffersUrl);
  await using raw = await startRawPeer();
  const own: Mover = {
    name: 'threadbus',
    async send(bytes, move) {
      const options = move ? { transfer: [bytes.buffer] } : {};
      return (await bus.dispatch(new Buffers({ bytes }), options).eventResult()) as BytesAnswer;
    },
  };
  const rows: Row[] = [];
  for (const mover of [own, raw]) {
    const times = { cloned: [] as number[], moved: [] as number[] };
    for (let n = 0; n < (quick ? 10 : 2000); n += 1) {
      for (const move of [false, true]) await mover.send(new Uint8Array(64), move);
    }
    for (let round = -1; round < (quick ? 2 : 60); round += 1) {
      for (const kind of ['cloned', 'moved'] as const) {
        const time = await sendMegabytes(mover, kind === 'moved');
        if (round >= 0) times[kind].push(time);
      }
    }
    rows.push({
      load: `1 MB, moved: ${mover.name}`,
      'µs moved': rounded(median(times.moved), 1),
      'µs cloned': rounded(median(times.cloned), 1),
      '× cloned': rounded(median(times.cloned) / median(times.moved), 1),
    });
  }
  return rows;
}

async function sendMegabytes(mover: Mover, move: boolean): Promise<number> {
  const batch = Array.from({ length: 4 }, (_, n) => new Uint8Array(1_048_576).fill(n + 1));
  const started = performance.now();
  const answers = await Promise.all(batch.map((bytes) => mover.send(bytes, move)));
  const time = ((performance.now() - started) * 1000) / batch.length;
  for (const [n, { first, length }] of answers.entries()) {
    const left = batch[n]?.byteLength;
    if (first !== n + 1 || length !== 1_048_576 || left !== (move ? 0 : length)) throw new Error('Lost a megabyte.');
  }
  return time;
}

async function scaling({ quick }: BenchOptions): Promise<Row[]> {
  await using one = await WorkerBus.start(busUrl);
  await using two = await WorkerBusGroup.start(busUrl, { size: 2 });
  const jobs = quick ? 8 : 60;
  const expected = compute();
  const run = async (target: { dispatch: WorkerBus['dispatch'] }): Promise<number> => {
    const started = performance.now();
    const sent = Array.from({ length: jobs }, () => target.dispatch(new Compute({})).eventResult());
    for (const value of await Promise.all(sent)) if (value !== expected) throw new Error('Expected the same sum.');
    return performance.now() - started;
  };
  const ratios: number[] = [];
  const stalls: number[] = [];
  for (let round = -1; round < (quick ? 1 : 11); round += 1) {
    const alone = await run(one);
    const gap = watchGaps();
    const ratio = alone / (await run(two));
    const stall = gap();
    if (round < 0) continue;
    ratios.push(ratio);
    stalls.push(stall);
  }
  return [
    { load: `${jobs} CPU-heavy handlers, 2 threads`, '× 1 thread': rounded(median(ratios), 2) },
    { load: 'longest stall of main meanwhile, ms', median: rounded(median(stalls), 1) },
  ];
}

/** @returns ends it and gives the longest time, in ms, in which this thread's event loop ran no timer */
function watchGaps(): () => number {
  let last = performance.now();
  let longest = 0;
  const look = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(look, 1);
  return () => {
    clearInterval(timer);
    look();
    return longest;
  };
}
