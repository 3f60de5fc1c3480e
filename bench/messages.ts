import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { BaseEvent } from '@threadbus/core';
import { WorkerBus } from '@threadbus/worker';
import { transfer, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { Piscina } from 'piscina';
import { contest } from './contest.ts';
import type { api } from './messages-raw.ts';
import { check, kept, type Measure } from './scenario.ts';

const busUrl = new URL('./messages-bus.js', import.meta.url);
const rawUrl = new URL('./messages-raw.js', import.meta.url);
const Count = BaseEvent.extend('Count', {});
const Counted = BaseEvent.extend('Counted', {});

/** About 300 bytes as an event. */
const payload = (n: number): { n: number; text: string } => ({ n, text: 'x'.repeat(200) });
const megabyte = (): Uint8Array<ArrayBuffer> => new Uint8Array(1_048_576).fill(7);

const startBus = async (): Promise<WorkerBus> => WorkerBus.start(busUrl);

async function startWorker(kind: 'raw' | 'comlink'): Promise<Worker> {
  const worker = new Worker(rawUrl, { workerData: kind });
  await once(worker, 'online');
  return worker;
}

let sent = 0;

/** Nobody waits for the events; the count at the end shows that all arrived. */
const oneWayOurs = kept(startBus, async (bus, messages, measure) => {
  sent += messages;
  await measure(async () => {
    for (let n = 0; n < messages; n += 1) {
      if (n % 256 === 0) await bus.waitForCapacity();
      bus.dispatch(new Count(payload(n) as never));
    }
    check((await bus.dispatch(new Counted()).eventResult()) as number, sent);
  });
});

const oneWayRaw = kept(
  async () => startWorker('raw'),
  async (worker, messages, measure) => {
    sent += messages;
    await measure(async () => {
      for (let n = 0; n < messages; n += 1) worker.postMessage({ count: payload(n) });
      worker.postMessage({ counted: true });
      check(((await once(worker, 'message')) as [number])[0], sent);
    });
  },
);

const movedOurs = kept(startBus, async (bus, messages, measure) =>
  moved(messages, measure, async (bytes) => {
    const event = new BaseEvent({ bytes }, { event_type: 'First' });
    return bus.dispatch(event, { transfer: [bytes.buffer] }).eventResult();
  }),
);

const movedPiscina = kept(
  async () => new Piscina({ filename: rawUrl.href, minThreads: 1, maxThreads: 1 }),
  async (pool, messages, measure) =>
    moved(messages, measure, async (bytes) => pool.run({ bytes }, { transferList: [bytes.buffer] })),
);

const movedComlink = kept(
  async () => {
    const worker = await startWorker('comlink');
    const { first } = wrap<typeof api>(nodeEndpoint(worker as never));
    return { first };
  },
  async ({ first }, messages, measure) =>
    moved(messages, measure, async (bytes) => first(transfer(bytes, [bytes.buffer]))),
);

const movedRaw = kept(
  async () => startWorker('raw'),
  async (worker, messages, measure) =>
    moved(messages, measure, async (bytes) => {
      worker.postMessage({ bytes }, [bytes.buffer]);
      return ((await once(worker, 'message')) as [number])[0];
    }),
);

/** A megabyte at a time, moved there; the answer is its first byte. */
async function moved(
  messages: number,
  measure: Measure,
  send: (bytes: Uint8Array<ArrayBuffer>) => Promise<unknown>,
): Promise<void> {
  check((await send(megabyte())) as number, 7);
  let arrived = 0;
  // Made beforehand: filling them takes longer than moving them.
  const all = Array.from({ length: messages }, megabyte);
  await measure(async () => {
    for (const bytes of all) if ((await send(bytes)) === 7 && bytes.byteLength === 0) arrived += 1;
  });
  check(arrived, messages);
}

/** What the threads scenario has no peers for: messages that nobody answers, and buffers that move. */
export const messages = contest('messages', [
  {
    name: 'one way, 300 B',
    unit: 'µs per event',
    ratio: '× as fast',
    size: 20_000,
    quick: 2_000,
    contestants: { threadbus: oneWayOurs, 'raw postMessage': oneWayRaw },
  },
  {
    name: '1 MB moved there, in turn',
    unit: 'µs per event',
    ratio: '× as fast',
    size: 100,
    quick: 20,
    contestants: { threadbus: movedOurs, piscina: movedPiscina, comlink: movedComlink, raw: movedRaw },
  },
]);
