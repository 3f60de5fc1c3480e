import { WorkerBus, WorkerBusGroup } from '@threadbus/worker';
import { contest } from './contest.ts';
import { check, type Contestant, kept, type Load, median } from './scenario.ts';
import { Compute } from './threads-events.ts';
import { type Mover, type Peer, peers, startMover, startRawMover } from './threads-peers.ts';
import { type Answer, bigPayload, compute, type Payload, smallPayload } from './threads-work.ts';

const busUrl = new URL('./threads-bus.js', import.meta.url);

/** So many payloads are made beforehand, at a time. */
const part = 2048;

export type Manner = (peer: Peer, payloads: readonly Payload[]) => Promise<void>;

export const burst: Manner = async (peer, payloads) => {
  for (let at = 0; at < payloads.length; at += 512) {
    const some = payloads.slice(at, at + 512);
    checkAnswers(some, await Promise.all(some.map(async (payload) => peer(payload))));
  }
};

const sliding: Manner = async (peer, payloads) => {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < payloads.length) {
      const payload = payloads[next] as Payload;
      next += 1;
      checkAnswers([payload], [await peer(payload)]);
    }
  };
  await Promise.all(Array.from({ length: 512 }, lane));
};

export const sequential: Manner = async (peer, payloads) => {
  for (const payload of payloads) checkAnswers([payload], [await peer(payload)]);
};

function checkAnswers(payloads: readonly Payload[], answers: readonly Answer[]): void {
  for (const [i, { n, user }] of payloads.entries()) {
    const answered = answers[i];
    if (answered?.ok !== true || answered.n !== n || answered.user !== user) throw new Error(`Wrong answer to ${n}.`);
  }
}

/**
 * To a thread and back, with the result merged into the event, beside piscina, comlink and a raw map of ids; handlers
 * are async, as those of people are.
 */
export function roundTrips(
  name: string,
  manner: Manner,
  payload: (n: number) => Payload,
  rest: Pick<Load, 'size' | 'quick' | 'rounds' | 'oneCore'>,
  among: Readonly<Record<string, () => Promise<Peer>>> = peers,
): Load {
  const contestant = (start: () => Promise<Peer>): Contestant =>
    kept(start, async (peer, size, measure) => {
      for (let from = 0; from < size; from += part) {
        const payloads = Array.from({ length: Math.min(part, size - from) }, (_, n) => payload(from + n));
        await measure(async () => manner(peer, payloads));
      }
    });
  return {
    name,
    unit: 'µs per event',
    ratio: '× as fast',
    contestants: Object.fromEntries(Object.entries(among).map(([peer, start]) => [peer, contestant(start)])),
    ...rest,
  };
}

/**
 * Four at a time; the answer is small, so only what is sent differs. Every thirty or so a thread collects garbage,
 * whichever way they came: the median shows the ways themselves.
 */
function megabytes(start: () => Promise<Mover>, move: boolean): Contestant {
  let mover: Promise<Mover> | undefined;
  return async (size) => {
    mover ??= start();
    const send = await mover;
    for (let n = 0; n < 2000; n += 1) await send(new Uint8Array(64), move);
    const times: number[] = [];
    for (let at = 0; at < size; at += 4) times.push(await fourMegabytes(send, move));
    return median(times);
  };
}

/** @returns µs for each of them */
async function fourMegabytes(send: Mover, move: boolean): Promise<number> {
  const batch = Array.from({ length: 4 }, (_, n) => new Uint8Array(1_048_576).fill(n + 1));
  const started = performance.now();
  const answers = await Promise.all(batch.map(async (bytes) => send(bytes, move)));
  const time = ((performance.now() - started) * 1000) / 4;
  check(answers.filter(({ first, length }, n) => first === n + 1 && length === 1_048_576).length, 4);
  check(batch.filter(({ byteLength }) => byteLength === (move ? 0 : 1_048_576)).length, 4);
  return time;
}

type Target = Pick<WorkerBus, 'dispatch'>;

function heavy(start: () => Promise<Target>): Contestant {
  return kept(start, async (target, size, measure) => {
    const expected = compute();
    await measure(async () => {
      const sent = Array.from({ length: size }, async () => target.dispatch(new Compute({})).eventResult());
      check((await Promise.all(sent)).filter((value) => value === expected).length, size);
    });
  });
}

const oneThread = heavy(async () => WorkerBus.start(busUrl));
const twoThreads = heavy(async () => WorkerBusGroup.start(busUrl, { size: 2 }));

/** The longest time, in ms, in which this thread's event loop ran no timer while threads compute. */
const stall: Contestant = async (size) => {
  let longest = 0;
  await twoThreads(size, async (work) => {
    let last = performance.now();
    const look = (): void => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    };
    const timer = setInterval(look, 1);
    await work();
    clearInterval(timer);
    look();
  });
  return longest;
};

/** Buses in threads, beside what else brings work there. */
export const threads = contest('threads', [
  roundTrips('burst 512, 300 B', burst, smallPayload, { size: 20_480, quick: 1024, rounds: 9 }),
  roundTrips('sliding 512, 300 B', sliding, smallPayload, { size: 20_480, quick: 1024, rounds: 9 }),
  roundTrips('burst 512, 10 KB', burst, (n) => bigPayload(n, 10_000), { size: 5_120, quick: 512, rounds: 9 }),
  // On several cores two threads that wait for each other mostly wait for cores to wake up: 20 to 150 µs, by where the
  // system puts them, which hides what is to be compared. On one core the times are those of the work.
  roundTrips('sequential, 300 B', sequential, smallPayload, { size: 10_000, quick: 200, rounds: 15 }),
  roundTrips('sequential, 300 B, on one core', sequential, smallPayload, {
    size: 10_000,
    quick: 200,
    rounds: 15,
    oneCore: true,
  }),
  {
    name: '1 MB moved, 4 at a time',
    unit: 'µs per event, median',
    ratio: '× as fast',
    size: 160,
    quick: 8,
    rounds: 15,
    contestants: {
      threadbus: megabytes(startMover, true),
      'threadbus, cloned': megabytes(startMover, false),
      'raw id map': megabytes(startRawMover, true),
      'raw id map, cloned': megabytes(startRawMover, false),
    },
  },
  {
    name: 'CPU-heavy handlers, 2 threads',
    unit: 'µs per handler',
    ratio: '× as fast',
    size: 60,
    quick: 8,
    rounds: 15,
    contestants: { threadbus: twoThreads, 'threadbus, 1 thread': oneThread },
  },
  {
    name: 'longest stall of main meanwhile',
    unit: 'ms',
    ratio: '× as much',
    size: 60,
    quick: 8,
    rounds: 11,
    contestants: { threadbus: stall },
  },
]);
