import { MessageChannel, Worker } from 'node:worker_threads';
import { WorkerBus } from '@threadbus/worker';
import { wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { Piscina } from 'piscina';
import { Buffers, Small, SmallSync } from './threads-events.ts';
import type { Api } from './threads-raw.ts';
import type { Answer, BytesAnswer, Payload } from './threads-work.ts';

/** Has a thread of its own answer, which ends with the process. */
export type Peer = (payload: Payload) => Promise<Answer>;

/** How each of them is started, ours first. */
export const peers: Readonly<Record<string, () => Promise<Peer>>> = {
  async threadbus() {
    const bus = await WorkerBus.start(new URL('./threads-bus.js', import.meta.url));
    return async (payload) => (await bus.dispatch(new Small(payload)).eventResult()) as Answer;
  },
  async 'threadbus, sync handler'() {
    const bus = await WorkerBus.start(new URL('./threads-bus.js', import.meta.url));
    return async (payload) => (await bus.dispatch(new SmallSync(payload)).eventResult()) as Answer;
  },
  // oxlint-disable-next-line typescript/require-await -- started like the others
  async 'piscina.run'() {
    const filename = new URL('./threads-task.js', import.meta.url).href;
    // As many at a time as are in flight: with one it waits for each answer before it sends the next.
    const pool = new Piscina<Payload, Answer>({
      filename,
      minThreads: 1,
      maxThreads: 1,
      concurrentTasksPerWorker: 512,
    });
    return async (payload) => pool.run(payload);
  },
  // oxlint-disable-next-line typescript/require-await
  async comlink() {
    const worker = startRaw();
    const { port1, port2 } = new MessageChannel();
    worker.postMessage({ comlink: port2 }, [port2]);
    const { answer } = wrap<Api>(nodeEndpoint(port1));
    return async (payload) => answer(payload);
  },
  // oxlint-disable-next-line typescript/require-await
  async 'raw id map'() {
    const ask = asking<Answer>(startRaw());
    return async (payload) => ask((id) => ({ id, payload }));
  },
};

/** Sends bytes to a thread, moved or cloned. */
export type Mover = (bytes: Uint8Array<ArrayBuffer>, move: boolean) => Promise<BytesAnswer>;

export async function startMover(): Promise<Mover> {
  const bus = await WorkerBus.start(new URL('./threads-buffers-bus.js', import.meta.url));
  return async (bytes, move) => {
    const options = move ? { transfer: [bytes.buffer] } : {};
    return (await bus.dispatch(new Buffers({ bytes }), options).eventResult()) as BytesAnswer;
  };
}

// oxlint-disable-next-line typescript/require-await
export async function startRawMover(): Promise<Mover> {
  const ask = asking<BytesAnswer>(startRaw());
  return async (bytes, move) => ask((id) => ({ id, bytes }), move ? [bytes.buffer] : []);
}

function startRaw(): Worker {
  return new Worker(new URL('./threads-raw.js', import.meta.url));
}

/** The least that gives an answer to each question: a message each, and a map of who waits. */
function asking<Value>(worker: Worker): (question: (id: number) => object, move?: ArrayBuffer[]) => Promise<Value> {
  const waiting = new Map<number, (value: Value) => void>();
  let last = 0;
  worker.on('message', ({ id, value }: { readonly id: number; readonly value: Value }) => {
    const resolve = waiting.get(id);
    waiting.delete(id);
    resolve?.(value);
  });
  return async (question, move) => {
    last += 1;
    const id = last;
    return new Promise((resolve) => {
      waiting.set(id, resolve);
      if (move === undefined) worker.postMessage(question(id));
      else worker.postMessage(question(id), move);
    });
  };
}
