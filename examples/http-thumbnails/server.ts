// HTTP around a pool: a status for each way to fail, cancellation, and a stop that lets requests finish.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EventBus, isBusCapacityError, isHandlerTimeoutError } from '@threadbus/core';
import { HandlerPool, isWorkerCrashedError, type PoolStats } from '@threadbus/worker';
import { MakeThumbnail } from './events.js';
import { requestId } from './request-id.js';
import type * as thumbnailModule from './thumbnail.js';

export interface ThumbnailServer {
  readonly url: string;
  stats(): PoolStats;
  /** Takes no more requests, lets those that came finish, then ends the threads. */
  stop(): Promise<void>;
}

/** @param images by their names in the URL: `/<name>/<width>` */
export async function serve(images: ReadonlyMap<string, Uint8Array<ArrayBuffer>>): Promise<ThumbnailServer> {
  const module = new URL('./thumbnail.js', import.meta.url);
  // Errors are answers here: nobody else has to be told.
  const bus = new EventBus({ name: 'Thumbnails', logger: { ...console, debug() {}, error() {} }, maxPending: null });
  const pool = new HandlerPool({ maxThreads: 2, minThreads: 2, maxQueue: 4, preload: [module] });
  bus.on(MakeThumbnail, pool.handler<typeof thumbnailModule>(module));
  await pool.ready();

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [, name = '', width] = (request.url ?? '').split('/');
    const image = images.get(name);
    if (image === undefined) {
      response.writeHead(404).end();
      return;
    }
    const hangUp = new AbortController();
    response.once('close', () => hangUp.abort(new Error('the client has hung up')));
    const timeout = name === 'endless' ? 0.5 : 2;
    try {
      const event = new MakeThumbnail({ name, image, width: Number(width) }, { event_timeout: timeout });
      const thumbnail = await bus.dispatch(event, { signal: hangUp.signal }).eventResult();
      response.writeHead(200, { 'content-type': 'image/webp' }).end(thumbnail);
    } catch (error) {
      if (!response.destroyed) response.writeHead(statusOf(error)).end((error as Error).name);
    }
  };
  const server = createServer((request, response) => {
    void requestId.run(String(request.headers['x-request-id']), () => answer(request, response));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stats: () => pool.stats(),
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      await closed;
      await bus.stop({ timeout: 10 });
      await pool.stop();
    },
  };
}

function statusOf(error: unknown): number {
  if (isBusCapacityError(error)) return 503;
  if (isHandlerTimeoutError(error)) return 504;
  return isWorkerCrashedError(error) ? 502 : 400;
}
