import { MessageChannel, Worker } from 'node:worker_threads';
import { releaseProxy, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { Piscina } from 'piscina';
import type { Api } from './threads-raw.ts';
import type { Answer, BytesAnswer, Payload } from './threads-work.ts';

/** Something that has a thread answer. */
export interface Peer {
  readonly name: string;
  answer(payload: Payload): Promise<Answer>;
}

interface Peers extends AsyncDisposable {
  readonly list: readonly Peer[];
}

/** Each with one thread of its own, running. */
export async function startPeers(): Promise<Peers> {
  const pool = new Piscina<Payload, Answer>({
    filename: new URL('./threads-task.js', import.meta.url).href,
    minThreads: 1,
    maxThreads: 1,
  });
  const rawWorker = new Worker(new URL('./threads-raw.js', import.meta.url));
  const comlinkWorker = new Worker(new URL('./threads-raw.js', import.meta.url));
  const { port1, port2 } = new MessageChannel();
  comlinkWorker.postMessage({ comlink: port2 }, [port2]);
  const remote = wrap<Api>(nodeEndpoint(port1));
  const remoteAnswer = remote.answer;
  const rawAnswer = asking<Answer>(rawWorker);
  return {
    list: [
      { name: 'piscina.run', answer: async (payload) => pool.run(payload) },
      { name: 'comlink', answer: async (payload) => remoteAnswer(payload) },
      { name: 'raw id map', answer: async (payload) => rawAnswer((id) => ({ id, payload })) },
    ],
    [Symbol.asyncDispose]: async () => {
      remote[releaseProxy]();
      port1.close();
      await Promise.all([pool.destroy(), rawWorker.terminate(), comlinkWorker.terminate()]);
    },
  };
}

/** Something that sends bytes to a thread, moved or cloned. */
export interface Mover {
  readonly name: string;
  send(bytes: Uint8Array<ArrayBuffer>, move: boolean): Promise<BytesAnswer>;
}

export async function startRawPeer(): Promise<Mover & AsyncDisposable> {
  const worker = new Worker(new URL('./threads-raw.js', import.meta.url));
  const ask = asking<BytesAnswer>(worker);
  return {
    name: 'raw id map',
    send: async (bytes, move) => ask((id) => ({ id, bytes }), move ? [bytes.buffer] : []),
    [Symbol.asyncDispose]: async () => void (await worker.terminate()),
  };
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
