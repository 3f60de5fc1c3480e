import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { streamTransport } from '@threadbus/link';
import { outsideContexts } from '@threadbus/link/internal';
import { numbersHere } from '../agent/numbers.ts';
import type { Greeting } from '../basics/batch.ts';
import type { Report } from '../basics/messages.ts';
import type { Hub } from '../hub/hub.ts';
import { topText } from '../hub/top.ts';
import { assetOf } from './assets.ts';
import { bearerOf, cookieName, mostBody, pathOf, queryToken, type Refusal, refusalOf } from './guard.ts';
import { isSame } from './token.ts';
import { ViewerConnection } from './viewer-connection.ts';

/** Connections at a time, agents of threads included; pages among them. */
const mostConnections = 256;
const mostViewers = 16;
/** Milliseconds for a request's head, and for all of it: one that trickles in is cut. */
const headTime = 5000;
const requestTime = 10_000;

/** Of each answer: nothing from elsewhere runs, nobody frames it, nobody else reads it, nothing is kept. */
const safety = {
  'content-security-policy':
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-resource-policy': 'same-origin',
  'cross-origin-opener-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

/** What the server is for. */
export interface PageOptions {
  readonly hub: Hub;
  readonly token: string;
  readonly greeting: Greeting;
}

/**
 * Serves the page on loopback, and lets the agents of threads in. Nothing of it keeps the process alive.
 *
 * Every answer, refusals too, goes through `#answer`, which puts the headers of `safety` on it.
 */
export class PageServer {
  readonly #options: PageOptions;
  readonly #server: Server;
  readonly #viewers = new Set<ViewerConnection>();
  readonly #agents = new Set<Duplex>();
  #port = 0;

  private constructor(options: PageOptions) {
    this.#options = options;
    this.#server = createServer(
      {
        headersTimeout: headTime,
        requestTimeout: requestTime,
        keepAliveTimeout: headTime,
        connectionsCheckingInterval: 1000,
        maxHeaderSize: 8192,
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.maxConnections = mostConnections;
    this.#server.on('connection', (socket) => socket.unref());
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket as Socket, head));
    this.#server.on('clientError', (_error, socket) => socket.destroy());
    this.#server.unref();
  }

  /** @throws what Node says of a port that can't be had */
  static async listen(options: PageOptions, port: number): Promise<PageServer> {
    return outsideContexts(async () => {
      const server = new PageServer(options);
      await new Promise<void>((resolve, reject) => {
        server.#server.once('error', reject);
        server.#server.listen({ port, host: '127.0.0.1' }, () => {
          server.#server.off('error', reject);
          resolve();
        });
        // Until it listens, or fails to, whoever waits for that is to be told.
        server.#server.ref();
      });
      server.#server.unref();
      server.#port = (server.#server.address() as AddressInfo).port;
      return server;
    });
  }

  get port(): number {
    return this.#port;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const viewer of [...this.#viewers]) viewer.close();
    this.#options.hub.close();
    for (const socket of this.#agents) socket.destroy();
    this.#server.closeAllConnections();
    this.#server.ref();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const asked = { method: request.method ?? '', target: request.url ?? '', headers: request.headers };
    const write = this.#options.greeting.write;
    const refusal = refusalOf(asked, { port: this.#port, token: this.#options.token, write });
    if (refusal !== null) {
      this.#refuse(response, refusal);
      return;
    }
    try {
      if (asked.method === 'POST') await this.#post(request, response);
      else await this.#get(asked.target, response);
    } catch (error) {
      this.#refuse(response, { status: 500, text: error instanceof Error ? error.message : String(error) });
    }
  }

  async #get(target: string, response: ServerResponse): Promise<void> {
    const path = pathOf(target);
    if (path === '/' && queryToken(target) !== null) this.#welcome(response);
    else if (path === '/events') this.#stream(response);
    else if (path === '/event') await this.#details(target, response);
    else if (path === '/top')
      this.#answer(response, 200, 'text/plain; charset=utf-8', topText(numbersHere(), process.pid));
    else this.#asset(path, response);
  }

  /** The token has served: from now on a cookie stands for it, and no address names it. */
  #welcome(response: ServerResponse): void {
    const cookie = `${cookieName(this.#port)}=${this.#options.token}; HttpOnly; SameSite=Strict; Path=/`;
    response.writeHead(302, { ...safety, location: '/', 'set-cookie': cookie }).end();
  }

  #asset(path: string, response: ServerResponse): void {
    const asset = assetOf(path);
    if (asset === null) this.#refuse(response, { status: 404, text: 'There is no such thing here.' });
    else this.#answer(response, 200, asset.type, asset.body);
  }

  #stream(response: ServerResponse): void {
    if (this.#viewers.size >= mostViewers) {
      this.#refuse(response, { status: 503, text: `${mostViewers} pages are open already.` });
      return;
    }
    const { hub, greeting } = this.#options;
    response.writeHead(200, { ...safety, 'content-type': 'text/event-stream', connection: 'keep-alive' });
    response.flushHeaders();
    const connection = new ViewerConnection(response, greeting, {
      get picture() {
        return hub.picture;
      },
      join: (viewer) => hub.join(viewer, this.#port),
      leave: (viewer) => {
        this.#viewers.delete(connection);
        hub.leave(viewer);
      },
    });
    this.#viewers.add(connection);
  }

  async #details(target: string, response: ServerResponse): Promise<void> {
    const id = new URLSearchParams(target.split('?', 2)[1] ?? '').get('id') ?? '';
    const answer = await this.#options.hub.ask('details', id);
    this.#json(response, answer === null ? 404 : 200, answer);
  }

  async #post(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (pathOf(request.url ?? '') !== '/dispatch') {
      this.#refuse(response, { status: 404, text: 'There is no such thing here.' });
      return;
    }
    const body = await bodyOf(request);
    if (body === null) {
      this.#refuse(response, { status: 413, text: 'This is longer than what may be sent.' });
      return;
    }
    const id = idOf(body);
    const answer = id === null ? { refused: 'Expected {"id": "…"}.' } : await this.#options.hub.ask('dispatch', id);
    if (answer === null) this.#json(response, 404, { refused: 'The event is not held any more.' });
    else this.#json(response, 'dispatched' in answer ? 200 : 400, answer);
  }

  /** The agent of another thread or process. */
  #upgrade(request: IncomingMessage, socket: Socket, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const { secret } = this.#options.hub;
    const isAgent = request.url === '/agent' && request.headers.upgrade === 'threadbus-agent';
    if (!isAgent || secret === null || !isSame(bearerOf(request.headers), secret)) {
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', () => socket.destroy());
      return;
    }
    socket.setTimeout(0);
    socket.unref();
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: threadbus-agent\r\n\r\n');
    if (head.length > 0) socket.unshift(head);
    this.#agents.add(socket);
    const transport = streamTransport(socket, socket);
    const agent = this.#options.hub.agentJoined(
      (order) => transport.send(order, []),
      () => socket.destroy(),
    );
    transport.open(
      (report) => agent.read(report as Report),
      () => {
        this.#agents.delete(socket);
        agent.gone();
        socket.destroy();
      },
    );
    transport.unref();
  }

  #refuse(response: ServerResponse, { status, text, headers = {} }: Refusal): void {
    // What else it has sent is not read.
    this.#answer(response, status, 'text/plain; charset=utf-8', `${text}\n`, { ...headers, connection: 'close' });
  }

  #json(response: ServerResponse, status: number, data: unknown): void {
    this.#answer(response, status, 'application/json; charset=utf-8', JSON.stringify(data));
  }

  #answer(
    response: ServerResponse,
    status: number,
    type: string,
    body: string | Buffer,
    headers: Readonly<Record<string, string>> = {},
  ): void {
    if (response.headersSent) {
      response.destroy();
      return;
    }
    response.writeHead(status, { ...safety, 'content-type': type, ...headers });
    response.end(body);
  }
}

/** Null if it is too long. */
async function bodyOf(request: IncomingMessage): Promise<string | null> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk as string;
    if (body.length > mostBody) return null;
  }
  return body;
}

function idOf(body: string): string | null {
  try {
    const { id } = JSON.parse(body) as { readonly id?: unknown };
    return typeof id === 'string' ? id : null;
  } catch {
    return null;
  }
}
