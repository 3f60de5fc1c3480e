// The app: a bus here, a bus in a thread, a pool of threads, and HTTP around them.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EventBus, isBusCapacityError, isEventValidationError, isHandlerTimeoutError } from '@threadbus/core';
import { HandlerPool, WorkerBus } from '@threadbus/worker';
import type * as countPrimes from './count-primes.js';
import { CountPrimes, GetVisits, Visited } from './events.js';
import { log, requestId } from './request-id.js';

export interface App {
  readonly url: string;
  /** Lets requests finish that came, then ends the buses and their threads. */
  stop(): Promise<void>;
}

export async function startApp({ port = 0 } = {}): Promise<App> {
  const main = new EventBus({ name: 'Main', maxPending: 200 });
  const pool = new HandlerPool({ minThreads: 1, maxQueue: 50, preload: [fileOf('count-primes')] });
  main.on(CountPrimes, pool.handler<typeof countPrimes>(fileOf('count-primes')));
  await pool.ready();
  const visits = await WorkerBus.start(fileOf('visits-bus'), { parent: main });
  main.on(Visited, visits.dispatch);
  main.on(GetVisits, visits.dispatch);

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { pathname } = new URL(request.url ?? '/', 'http://app');
    const hangUp = new AbortController();
    response.once('close', () => hangUp.abort(new Error('the client has hung up')));
    try {
      const body = await bodyOf(main, pathname, hangUp.signal);
      if (body === undefined) response.writeHead(404).end();
      else response.writeHead(200, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
    } catch (error) {
      if (!response.destroyed) response.writeHead(statusOf(error)).end(`${(error as Error).name}\n`);
    }
  };
  const server = createServer((request, response) => {
    const id = String(request.headers['x-request-id'] ?? crypto.randomUUID());
    void requestId.run(id, () => answer(request, response));
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      const closed = once(server, 'close');
      server.close();
      server.closeIdleConnections();
      await closed;
      await main.stop({ timeout: 10 });
      await Promise.all([visits.stop({ timeout: 10 }), pool.stop()]);
    },
  };
}

/** What a path answers; undefined if there is no such path. */
async function bodyOf(bus: EventBus, path: string, signal: AbortSignal): Promise<unknown> {
  if (path === '/visits') return bus.dispatch(new GetVisits({}), { signal }).eventResult();
  const [, what, below] = path.split('/');
  if (what !== 'primes') return undefined;
  log(`asks for ${path}`);
  bus.dispatch(new Visited({ path })); // nobody waits for it
  return bus.dispatch(new CountPrimes({ below: Number(below) }), { signal }).eventResult();
}

function statusOf(error: unknown): number {
  if (isEventValidationError(error)) return 400;
  if (isBusCapacityError(error)) return 503;
  return isHandlerTimeoutError(error) ? 504 : 500;
}

/** A file beside this one, for a thread: TypeScript under tsx and vitest, JavaScript when it is compiled. */
function fileOf(name: string): URL {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js';
  return new URL(`./${name}.${extension}`, import.meta.url);
}
