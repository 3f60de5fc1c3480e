// The id of the request that work belongs to: it travels with the events, into every thread that loads this file.
import { AsyncLocalStorage } from 'node:async_hooks';
import { registerPortableContext } from '@threadbus/worker';

export const requestId = new AsyncLocalStorage<string>();

registerPortableContext({
  name: 'requestId',
  capture: () => requestId.getStore(),
  run: (id, inside) => requestId.run(id, inside),
});

export function log(text: string): void {
  console.log(`[${requestId.getStore() ?? '-'}] ${text}`);
}
