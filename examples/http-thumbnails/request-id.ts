// The id of the request that work belongs to. Every thread that loads this file sees it, in whichever handler.
import { AsyncLocalStorage } from 'node:async_hooks';
import { registerPortableContext } from '@threadbus/worker';

export const requestId: AsyncLocalStorage<string> = new AsyncLocalStorage();

registerPortableContext({
  name: 'requestId',
  capture: () => requestId.getStore(),
  run: (id, inside) => requestId.run(id, inside),
});

export function log(text: string): void {
  console.log(`[${requestId.getStore()}] ${text}`);
}
