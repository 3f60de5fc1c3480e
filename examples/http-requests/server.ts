// HTTP around the shop: one bus a request, a time limit, back-pressure, and a stop that lets requests finish.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { isBusCapacityError, isHandlerTimeoutError } from '@threadbus/core';
import { requestId, type Shop } from './shop.js';

export interface RunningServer {
  readonly url: string;
  /** Takes no more requests, lets those that came finish, then stops the shop's bus. */
  stop(): Promise<void>;
}

export async function serve(shop: Shop): Promise<RunningServer> {
  const server = createServer((request, response) => {
    const id = String(request.headers['x-request-id'] ?? 'none');
    void requestId.run(id, () => answer(shop, request, response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, stop: () => stop(server, shop) };
}

async function answer(shop: Shop, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { pathname } = new URL(request.url ?? '/', 'http://shop');
  try {
    response.end(await shop.buy(pathname.slice(1)));
  } catch (error) {
    const status = isHandlerTimeoutError(error) ? 504 : isBusCapacityError(error) ? 503 : 500;
    response.writeHead(status).end((error as Error).name);
  }
}

async function stop(server: Server, { stock }: Shop): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  await closed;
  await stock.stop({ timeout: 10 });
}
