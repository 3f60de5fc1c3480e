import type { MessagePort } from 'node:worker_threads';
// @ts-expect-error -- the adapter ships without types
import adapt from 'comlink/dist/esm/node-adapter.mjs';

/** Makes an endpoint for comlink of a Node port. */
export const nodeEndpoint: (port: MessagePort) => object = adapt as (port: MessagePort) => object;
