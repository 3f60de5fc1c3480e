import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { BaseEvent } from '@threadbus/core';
import { WorkerBus, WorkerBusGroup } from '@threadbus/worker';
import { type BenchOptions, type Row, rounded, type Scenario } from '../scenario.ts';
import { Compute, Count, Counted, Small } from './threads-events.ts';
import { startPeers, type Peer } from './threads-peers.ts';
import { type Answer, bigPayload, compute, type Payload, smallPayload } from './threads-work.ts';

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
    async answer(payload) {
      const event = await bus.dispatch(new Small(payload as never));
      return (await event.eventResult()) as Answer;
    },
  };
  const all = [own, ...peers.list];
  const rounds = quick ? 2 : 11;
  const scale = quick ? 0.1 : 1;
  const small = payloadsOf(4096 * scale, smallPayload);
  const big = payloadsOf(1024 * scale, (n) => bigPayload(n, 10_000));
  const few = payloadsOf(512 * scale, smallPayload);
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

/** Peers take turns, in another order each round; ratios are medians of the rounds' own. */
async function compare(
  name: string,
  peers: readonly Peer[],
  rounds: number,
  load: (peer: Peer) => Promise<void>,
  operations: number,
): Promise<Row> {
  const times = new Map<string, number[]>(peers.map((peer) => [peer.name, []]));
  for (let round = -1; round < rounds; round += 1) {
    for (const peer of [...peers].sort(() => Math.random() - 0.5)) {
      const started = performance.now();
      await load(peer);
      if (round >= 0) times.get(peer.name)?.push(((performance.now() - started) * 1000) / operations);
    }
  }
  const own = times.get('threadbus') ?? [];
  const row: Record<string, string | number> = {
    load: name,
    'threadbus µs': rounded(median(own), 1),
    best: rounded(Math.min(...own), 1),
  };
  for (const [peer, took] of times) {
    if (peer !== 'threadbus') row[`× ${peer}`] = rounded(median(took.map((time, i) => time / (own[i] as number))), 2);
  }
  return row;
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

async function megabyte({ quick }: BenchOptions): Promise<Row[]> {
  await using bus = await WorkerBus.start(busUrl);
  const rounds = quick ? 5 : 60;
  const send = async (bytes: Uint8Array<ArrayBuffer>, transfer: boolean): Promise<number> => {
    const started = performance.now();
    const options = transfer ? { transfer: [bytes.buffer] } : {};
    const event = await bus.dispatch(new BaseEvent({ bytes }, { event_type: 'Buffers' }), options);
    const { first } = (await event.eventResult()) as { first: number };
    if (first !== 7 || (bytes.byteLength === 0) !== transfer) throw new Error('The megabyte did not arrive.');
    return (performance.now() - started) * 1000;
  };
  const cloned: number[] = [];
  const moved: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    cloned.push(await send(new Uint8Array(1_048_576).fill(7), false));
    moved.push(await send(new Uint8Array(1_048_576).fill(7), true));
  }
  return [
    { load: '1 MB there and back, cloned', 'threadbus µs': rounded(median(cloned), 0) },
    {
      load: '1 MB there and back, moved there',
      'threadbus µs': rounded(median(moved), 0),
      '× cloned': rounded(median(cloned) / median(moved), 1),
    },
  ];
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
  const delay = monitorEventLoopDelay({ resolution: 1 });
  for (let round = 0; round < (quick ? 1 : 7); round += 1) {
    const alone = await run(one);
    delay.enable();
    delay.reset();
    ratios.push(alone / (await run(two)));
    delay.disable();
    stalls.push(delay.max / 1e6);
  }
  return [
    { load: `${jobs} CPU-heavy handlers, 2 threads`, '× 1 thread': rounded(median(ratios), 2) },
    { load: 'longest stall of main meanwhile, ms', median: rounded(median(stalls), 1) },
  ];
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
