import { parentPort } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import { answer, compute, type Payload } from './threads-work.ts';

/** What a peer's thread can be asked. */
export const api = {
  answer: (payload: Payload) => answer(payload),
  compute: () => compute(),
};
export type Api = typeof api;

const port = parentPort;
if (port !== null) {
  // The raw peer's messages are numbered; comlink gets a port of its own.
  port.on('message', (message: { readonly id?: number; readonly payload?: Payload; readonly comlink?: never }) => {
    if (message.comlink !== undefined) expose(api, nodeEndpoint(message.comlink));
    else if (message.payload !== undefined) port.postMessage({ id: message.id, value: answer(message.payload) });
  });
}
