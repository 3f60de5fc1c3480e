import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { answer, answerBytes, compute, type Payload } from './threads-work.ts';

/** What a peer's thread can be asked. */
export const api = {
  answer: async (payload: Payload) => answer(payload),
  compute: () => compute(),
};
export type Api = typeof api;

interface Message {
  readonly id?: number;
  readonly payload?: Payload;
  readonly bytes?: Uint8Array;
  readonly comlink?: never;
}

const port = parentPort;
if (port !== null) {
  // The raw peer's messages are numbered; comlink gets a port of its own.
  port.on('message', ({ id, payload, bytes, comlink }: Message) => {
    if (comlink !== undefined) expose(api, nodeEndpoint(comlink));
    else if (payload !== undefined) void api.answer(payload).then((value) => port.postMessage({ id, value }));
    else if (bytes !== undefined) port.postMessage({ id, value: answerBytes(bytes) });
  });
}
