import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../helpers/free-port.ts';

/** Whether tests that need a server can run here. */
export const hasServer: boolean = spawnSync('nats-server', ['--version']).status === 0;

if (!hasServer && process.env['THREADBUS_NATS_SAID'] === undefined) {
  process.env['THREADBUS_NATS_SAID'] = 'yes';
  process.stderr.write(
    'No nats-server found: tests of @threadbus/nats that need one are skipped. Get it with `apt-get install nats-server`, or from https://nats.io/download, and put it on the PATH.\n',
  );
}

/** Where servers and peers are to run instead of here: a network namespace, and the address of it that this process reaches. */
interface FarHost {
  readonly name: string;
  readonly address: string;
}

/** Set by tests of two hosts. */
const farHost: FarHost | null = JSON.parse(process.env['THREADBUS_FAR_HOST'] ?? 'null') as FarHost | null;

const address = farHost?.address ?? '127.0.0.1';

/** The server is to choose. */
const anyPort = -1;

/** A program with its arguments, as it is started there; or here. */
export function onFarHost(command: string, args: readonly string[]): readonly [string, readonly string[]] {
  return farHost === null ? [command, args] : ['ip', ['netns', 'exec', farHost.name, command, ...args]];
}

/**
 * A server of one's own, on a port and with a folder of its own; can be killed and started again on both.
 *
 * It says itself where it listens and when: whoever dials a port may find another's server there. Should it end by
 * itself, closing it throws what it has printed.
 */
export class NatsServer implements AsyncDisposable {
  readonly #folder: string;
  #more: readonly string[];
  #port = 0;
  #process: ChildProcess | null = null;
  #fall: string | null = null;
  /** Its log, over all its starts. */
  printed = '';

  private constructor(folder: string, more: readonly string[]) {
    this.#folder = folder;
    this.#more = more;
  }

  /** @param more arguments for the server */
  static async start(...more: readonly string[]): Promise<NatsServer> {
    const server = new NatsServer(await mkdtemp(join(tmpdir(), 'threadbus-nats-')), more);
    await server.start();
    return server;
  }

  /** Three that keep streams together. */
  static async startCluster(): Promise<NatsServer[]> {
    const routes = await Promise.all([1, 2, 3].map(freePort));
    const all = routes.map((port) => `nats://127.0.0.1:${port}`);
    return Promise.all(
      all.map((own, at) =>
        NatsServer.start('-n', `s${at}`, '--cluster_name', 'tests', '--cluster', own, '--routes', all.join()),
      ),
    );
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `nats://${address}:${this.#port}`;
  }

  /** @param more arguments from now on, if it is to have others @returns once it takes connections */
  async start(...more: readonly string[]): Promise<void> {
    if (more.length > 0) this.#more = more;
    const port = this.#port === 0 ? anyPort : this.#port;
    const args = ['-a', address, '-p', `${port}`, '-js', '-sd', this.#folder, ...this.#more];
    const [command, whole] = onFarHost('nats-server', args);
    const server = spawn(command, whole, { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process = server;
    const from = this.printed.length;
    await new Promise<void>((resolve, reject) => {
      server.stderr.setEncoding('utf8').on('data', (text: string) => {
        this.printed += text;
        const printed = this.printed.slice(from);
        const listening = /client connections on \S+:(\d+)/.exec(printed);
        if (this.#port === 0 && listening !== null) this.#port = Number(listening[1]);
        if (printed.includes('Server is ready')) resolve();
      });
      server.once('error', reject);
      server.once('close', (code, signal) => {
        const how = `nats-server ended with code ${code}, signal ${signal}:\n${this.printed.slice(from)}`;
        if (this.#process === server) this.#fall = how;
        reject(new Error(how));
      });
    });
  }

  /** Stopped it is there, and says nothing. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process?.kill(signal);
    const { pid } = this.#process ?? {};
    if (signal === 'SIGSTOP' && pid !== undefined) while (isRunning(pid));
  }

  /** kill -9, and waits until it is gone. */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 });
    if (this.#fall !== null) throw new Error(this.#fall);
  }
}

/** A stop comes to one thread, which passes it on to the others: on a busy machine they go on for a while. */
function isRunning(pid: number): boolean {
  if (process.platform !== 'linux') return false;
  const threads = readdirSync(`/proc/${pid}/task`);
  const states = threads.map((thread) => /\) (\w)/.exec(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8'))?.[1]);
  return states.some((state) => state !== 'T' && state !== 'Z');
}
