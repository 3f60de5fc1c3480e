import { performance } from 'node:perf_hooks';
import { WorkerBus, WorkerBusGroup } from '@threadbus/worker';
import { type BenchOptions, type Row, rounded, type Scenario } from '../scenario.ts';
import { Buffers, Compute, Count, Counted, Small } from './threads-events.ts';
import { type Mover, type Peer, startPeers, startRawPeer } from './threads-peers.ts';
import { type Answer, bigPayload, type BytesAnswer, compute, type Payload, smallPayload } from './threads-work.ts';

const busUrl = new URL('./threads-bus.js', import.meta.url);

type Load = (peer: Peer, payloads: readonly Payload[]) => Promise<void>;

/** Round trips of events whose results are merged into them, beside piscina, comlink and a raw map of ids. */
export const threads: Scenario = {
  name: 'threads',
  async run(options) {
    return [
      ...(await roundTrips(options)),
      ...(await oneWay(options)),
      ...(await megabyte(options)),
      ...(await scaling(options)),
    ];
  },
};

async function roundTrips({ quick }: BenchOptions): Promise<Row[]> {
  await using bus = await WorkerBus.start(busUrl);
  await using peers = await startPeers();
  const own: Peer = {
    name: 'threadbus',
    answer: async (payload) => (await bus.dispatch(new Small(payload as never)).eventResult()) as Answer,
  };
  const all = [own, ...peers.list];
  const rounds = quick ? 2 : 11;
  const scale = quick ? 0.1 : 1;
  const small = payloadsOf(4096 * scale, smallPayload);
  const big = payloadsOf(1024 * scale, (n) => bigPayload(n, 10_000));
  const few = payloadsOf(1024 * scale, smallPayload);
  const rows: Row[] = [];
  for (const [name, load, payloads] of [
    ['burst 512, 300 B', burst, small],
    ['sliding 512, 300 B', sliding, small],
    ['sequential, 300 B', sequential, few],
    ['burst 512, 10 KB', burst, big],
  ] as [string, Load, Payload[]][]) {
    rows.push(await compare(name, all, rounds, async (peer) => load(peer, payloads), payloads.length));
  }
  return rows;
}

/** What a load has taken, in µs for each event: on the clock, and of CPU in all threads together. */
interface Cost {
  readonly time: number;
  readonly cpu: number;
}

/**
 * Peers take turns, in another order each round; ratios are medians of the rounds' own.
 *
 * Two threads that wait for each other take twice as long when they sleep and wake on two cores as when they share one,
 * and which it is depends on what else runs: the CPU ratios don't.
 */
async function compare(
  name: string,
  peers: readonly Peer[],
  rounds: number,
  load: (peer: Peer) => Promise<void>,
  operations: number,
): Promise<Row> {
  const costs = new Map<string, Cost[]>(peers.map((peer) => [peer.name, []]));
  for (let round = -1; round < rounds; round += 1) {
    for (const peer of [...peers].sort(() => Math.random() - 0.5)) {
      const cost = await costOf(() => load(peer), operations);
      if (round >= 0) costs.get(peer.name)?.push(cost);
    }
  }
  const own = costs.get('threadbus') ?? [];
  const row: Record<string, string | number> = {
    load: name,
    'threadbus µs': rounded(median(own.map(({ time }) => time)), 1),
    best: rounded(Math.min(...own.map(({ time }) => time)), 1),
    'CPU µs': rounded(median(own.map(({ cpu }) => cpu)), 1),
  };
  const ratios = (kind: keyof Cost, prefix: string): void => {
    for (const [peer, took] of costs) {
      if (peer === 'threadbus') continue;
      row[`${prefix}× ${peer}`] = rounded(median(took.map((cost, i) => cost[kind] / (own[i] as Cost)[kind])), 2);
    }
  };
  ratios('time', '');
  ratios('cpu', 'CPU ');
  return row;
}

async function costOf(load: () => Promise<void>, operations: number): Promise<Cost> {
  const usedBefore = process.cpuUsage();
  const started = performance.now();
  await load();
  const time = performance.now() - started;
  const { user, system } = process.cpuUsage(usedBefore);
  return { time: (time * 1000) / operations, cpu: (user + system) / operations };
}

const burst: Load = async (peer, payloads) => {
  for (let at = 0; at < payloads.length; at += 512) {
    const part = payloads.slice(at, at + 512);
    check(part, await Promise.all(part.map((payload) => peer.answer(payload))));
  }
};

const sliding: Load = async (peer, payloads) => {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < payloads.length) {
      const payload = payloads[next] as Payload;
      next += 1;
      check([payload], [await peer.answer(payload)]);
    }
  };
  await Promise.all(Array.from({ length: 512 }, lane));
};

const sequential: Load = async (peer, payloads) => {
  for (const payload of payloads) check([payload], [await peer.answer(payload)]);
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
  await using bus = await WorkerBus.start(busUrl);
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
  for (let round = 0; round < (quick ? 1 : 7); round += 1) {
    const alone = await run(one);
    const gap = watchGaps();
    ratios.push(alone / (await run(two)));
    stalls.push(gap());
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

function payloadsOf(count: number, make: (n: number) => Payload): Payload[] {
  return Array.from({ length: Math.round(count) }, (_, n) => make(n));
}

function check(payloads: readonly Payload[], answers: readonly Answer[]): void {
  for (const [i, { n, user }] of payloads.entries()) {
    const answered = answers[i];
    if (answered?.ok !== true || answered.n !== n || answered.user !== user) throw new Error(`Wrong answer to ${n}.`);
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
