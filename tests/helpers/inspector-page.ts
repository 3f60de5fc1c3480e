import { once } from 'node:events';
import http, { type IncomingMessage } from 'node:http';
import { inspect, type InspectOptions } from '@threadbus/inspector';
import { onTestFinished } from 'vitest';

/** What is known of an event, as the page is told. */
export interface SeenEvent {
  readonly id: string;
  readonly parent: string | null;
  readonly type: string;
  readonly path: readonly string[];
  readonly born: number | null;
  readonly done: number | null;
  readonly outcome: string | null;
  readonly calls: readonly {
    readonly handler: string;
    readonly bus: string;
    readonly thread: number | null;
    readonly pid: number | null;
    readonly called: number | null;
    readonly started: number | null;
    readonly ended: number | null;
    readonly status: string;
    readonly error: { readonly name: string; readonly message: string; readonly stack: string | null } | null;
  }[];
}

export interface SeenBatch {
  readonly events: readonly SeenEvent[];
  readonly seen: number;
  readonly skipped: number;
  readonly numbers: readonly { readonly pid: number; readonly thread: number; readonly numbers: unknown }[] | null;
  readonly threads: readonly { readonly start: { threadId: number }; readonly end: { reason: string } | null }[] | null;
}

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

/** A page that is served, as those see it who have its address. */
export class Served {
  readonly port: number;
  readonly token: string;

  constructor(url: string) {
    const { port, searchParams } = new URL(url);
    this.port = Number(port);
    this.token = searchParams.get('token') ?? '';
  }

  /** Asks with the token, unless the headers say otherwise. */
  async ask(path: string, headers: http.OutgoingHttpHeaders = {}, method = 'GET', body?: string): Promise<Reply> {
    const response = await this.begin(path, headers, method, body);
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += chunk as string;
    return { status: response.statusCode ?? 0, headers: response.headers, text };
  }

  async begin(
    path: string,
    headers: http.OutgoingHttpHeaders = {},
    method = 'GET',
    body?: string,
  ): Promise<IncomingMessage> {
    const request = http.request({
      host: '127.0.0.1',
      port: this.port,
      path,
      method,
      agent: false,
      headers: { authorization: `Bearer ${this.token}`, ...headers },
    });
    request.end(body);
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    return response;
  }

  /** Looks, as an open page does. */
  async look(): Promise<Look> {
    const look = new Look(await this.begin('/events'));
    onTestFinished(() => look.end());
    return look;
  }
}

/** A stream of what happens, put together. */
export class Look {
  readonly events: Map<string, SeenEvent> = new Map();
  readonly batches: SeenBatch[] = [];
  threads: NonNullable<SeenBatch['threads']> = [];
  /** Of all agents, the latest. */
  numbers: NonNullable<SeenBatch['numbers']> = [];
  records = 0;
  seen = 0;
  skipped = 0;
  /** Changes that this stream was too slow for. */
  missed = 0;
  text = '';
  readonly #response: IncomingMessage;
  readonly #waiting = new Set<() => void>();
  /** Of what isn't whole yet. */
  #chunks: string[] = [];

  constructor(response: IncomingMessage) {
    this.#response = response;
    response.setEncoding('utf8').on('data', (chunk: string) => this.#read(chunk));
    response.on('error', () => undefined);
  }

  /** The thing asked for, as soon as it is there. */
  async until<T>(find: (look: Look) => T | undefined | false | null): Promise<T> {
    for (;;) {
      const found = find(this);
      if (found !== undefined && found !== false && found !== null) return found;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** The event of that type that fits. */
  async event(type: string, fits: (event: SeenEvent) => boolean = () => true): Promise<SeenEvent> {
    return this.until(() => this.ofType(type).find(fits));
  }

  ofType(type: string): SeenEvent[] {
    return [...this.events.values()].filter((event) => event.type === type);
  }

  /** A thread's agent reports. */
  async agent(thread: number, pid = process.pid): Promise<void> {
    await this.until(() => this.numbers.some((each) => each.thread === thread && each.pid === pid));
  }

  end(): void {
    this.#response.destroy();
  }

  #read(chunk: string): void {
    this.text += chunk;
    this.#chunks.push(chunk);
    if (!chunk.includes('\n')) return;
    const parts = this.#chunks.join('').split('\n\n');
    this.#chunks = [parts.pop() ?? ''];
    for (const part of parts) this.#take(part);
    for (const go of this.#waiting) go();
    this.#waiting.clear();
  }

  #take(part: string): void {
    const [, kind = '', data = ''] = /^event: (\w+)\ndata: (.*)$/.exec(part) ?? [];
    if (kind === 'missed') this.missed += (JSON.parse(data) as { events: number }).events;
    if (kind !== 'batch' && kind !== 'picture') return;
    const batch = JSON.parse(data) as SeenBatch;
    this.batches.push(batch);
    for (const event of batch.events) this.events.set(event.id, event);
    if (kind === 'batch') this.records += batch.events.length;
    this.seen += batch.seen;
    this.skipped += batch.skipped;
    this.threads = batch.threads ?? this.threads;
    this.numbers = batch.numbers ?? this.numbers;
  }
}

/** Opens the page of this thread; closed when the test is over. */
export async function openInspector(options: InspectOptions = {}): Promise<Served> {
  const inspector = await inspect(options);
  onTestFinished(() => inspector.close());
  return new Served(inspector.url);
}
