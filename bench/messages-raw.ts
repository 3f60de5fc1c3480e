// The thread of the peers: the same on a bare port, as a piscina task, and for comlink.
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { expose } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';

export interface Message {
  readonly count?: unknown;
  readonly counted?: true;
  readonly bytes?: Uint8Array;
}

let count = 0;

/** The answer to a message, or undefined. */
export default function answer({ counted, bytes }: Message): number | undefined {
  if (bytes !== undefined) return bytes[0];
  if (counted === true) return count;
  count += 1;
  return undefined;
}

export const api = { first: (bytes: Uint8Array): number | undefined => answer({ bytes }) };

if (!isMainThread && parentPort !== null) {
  if (workerData === 'raw') {
    parentPort.on('message', (message: Message) => {
      const value = answer(message);
      if (value !== undefined) parentPort?.postMessage(value);
    });
  } else if (workerData === 'comlink') {
    expose(api, nodeEndpoint(parentPort));
  }
}
