import { performance } from 'node:perf_hooks';
import { WorkerBus } from '@threadbus/worker';
import { type BenchOptions, median, type Row, rounded } from '../scenario.ts';
import { Small } from './threads-events.ts';
import { type Peer, startPeers } from './threads-peers.ts';
import { type Answer, bigPayload, type Payload, smallPayload } from './threads-work.ts';

const busUrl = new URL('./threads-bus.js', import.meta.url);

/** Rounds of each peer before the measured ones: a program that sends events for long runs code that is compiled. */
const warmUp = 12;

type Load = (peer: Peer, payloads: readonly Payload[]) => Promise<void>;

/** Loads by name: all of them, or those that are asked for. */
export async function roundTrips({ quick }: BenchOptions, wanted = loads.map(({ name }) => name)): Promise<Row[]> {
  await using bus = await WorkerBus.start(busUrl);
  await using peers = await startPeers();
  const own: Peer = {
    name: 'threadbus',
    answer: async (payload) => (await bus.dispatch(new Small(payload as never)).eventResult()) as Answer,
  };
  const all = [own, ...peers.list];
  const rounds = quick ? 2 : 11;
  const scale = quick ? 0.1 : 1;
  const rows: Row[] = [];
  for (const { name, load, count, payload } of loads.filter((each) => wanted.includes(each.name))) {
    const payloads = Array.from({ length: Math.round(count * scale) }, (_, n) => payload(n));
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
  for (let round = -warmUp; round < rounds; round += 1) {
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

function check(payloads: readonly Payload[], answers: readonly Answer[]): void {
  for (const [i, { n, user }] of payloads.entries()) {
    const answered = answers[i];
    if (answered?.ok !== true || answered.n !== n || answered.user !== user) throw new Error(`Wrong answer to ${n}.`);
  }
}

const loads = [
  { name: 'burst 512, 300 B', load: burst, count: 4096, payload: smallPayload },
  { name: 'sliding 512, 300 B', load: sliding, count: 4096, payload: smallPayload },
  { name: 'sequential, 300 B', load: sequential, count: 1024, payload: smallPayload },
  { name: 'burst 512, 10 KB', load: burst, count: 1024, payload: (n: number) => bigPayload(n, 10_000) },
];
