import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { BaseEvent } from '@threadbus/core';
import { WorkerBus } from '@threadbus/worker';
import { transfer, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { Piscina } from 'piscina';
import { contest } from './contest.ts';
import type { api } from './messages-raw.ts';
import { check, type Contestant, type Measure } from './scenario.ts';

const busUrl = new URL('./messages-bus.js', import.meta.url);
const rawUrl = new URL('./messages-raw.js', import.meta.url);
const Count = BaseEvent.extend('Count', {});
const Counted = BaseEvent.extend('Counted', {});

/** About 300 bytes as an event. */
const payload = (n: number): { n: number; text: string } => ({ n, text: 'x'.repeat(200) });
const megabyte = (): Uint8Array<ArrayBuffer> => new Uint8Array(1_048_576).fill(7);

/** Nobody waits for the events; the count at the end shows that all arrived. */
const oneWayOurs: Contestant = async (messages, measure) => {
  await using bus = await WorkerBus.start(busUrl);
  await measure(async () => {
    for (let n = 0; n < messages; n += 1) {
      if (n % 256 === 0) await bus.waitForCapacity();
      bus.dispatch(new Count(payload(n) as never));
    }
    check((await bus.dispatch(new Counted()).eventResult()) as number, messages);
  });
};

const oneWayRaw: Contestant = async (messages, measure) => {
  const worker = new Worker(rawUrl, { workerData: 'raw' });
  await once(worker, 'online');
  await measure(async () => {
    for (let n = 0; n < messages; n += 1) worker.postMessage({ count: payload(n) });
    worker.postMessage({ counted: true });
    check(((await once(worker, 'message')) as [number])[0], messages);
  });
  await worker.terminate();
};

const movedOurs: Contestant = async (messages, measure) => {
  await using bus = await WorkerBus.start(busUrl);
  await moved(messages, measure, async (bytes) => {
    const event = new BaseEvent({ bytes }, { event_type: 'First' });
    return bus.dispatch(event, { transfer: [bytes.buffer] }).eventResult();
  });
};

const movedPiscina: Contestant = async (messages, measure) => {
  const pool = new Piscina({ filename: rawUrl.href, minThreads: 1, maxThreads: 1 });
  await moved(messages, measure, async (bytes) => pool.run({ bytes }, { transferList: [bytes.buffer] }));
  await pool.destroy();
};

const movedComlink: Contestant = async (messages, measure) => {
  const worker = new Worker(rawUrl, { workerData: 'comlink' });
  const { first } = wrap<typeof api>(nodeEndpoint(worker as never));
  await moved(messages, measure, async (bytes) => first(transfer(bytes, [bytes.buffer])));
  await worker.terminate();
};

const movedRaw: Contestant = async (messages, measure) => {
  const worker = new Worker(rawUrl, { workerData: 'raw' });
  await moved(messages, measure, async (bytes) => {
    worker.postMessage({ bytes }, [bytes.buffer]);
    return ((await once(worker, 'message')) as [number])[0];
  });
  await worker.terminate();
};

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
