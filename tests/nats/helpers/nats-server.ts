import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect as dial } from 'node:net';
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

/** A program with its arguments, as it is started there; or here. */
export function onFarHost(command: string, args: readonly string[]): readonly [string, readonly string[]] {
  return farHost === null ? [command, args] : ['ip', ['netns', 'exec', farHost.name, command, ...args]];
}

/** A server of one's own, on a port and with a folder of its own; can be killed and started again on both. */
export class NatsServer implements AsyncDisposable {
  readonly port: number;
  readonly url: string;
  readonly #folder: string;
  #process: ChildProcess | null = null;

  readonly #more: readonly string[];

  private constructor(port: number, folder: string, more: readonly string[]) {
    this.#more = more;
    this.port = port;
    this.url = `nats://${address}:${port}`;
    this.#folder = folder;
  }

  /** @param more arguments for the server */
  static async start(...more: readonly string[]): Promise<NatsServer> {
    const server = new NatsServer(await freePort(), await mkdtemp(join(tmpdir(), 'threadbus-nats-')), more);
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

  async start(): Promise<void> {
    const args = ['-a', address, '-p', `${this.port}`, '-js', '-sd', this.#folder, ...this.#more];
    const [command, whole] = onFarHost('nats-server', args);
    this.#process = spawn(command, whole, { stdio: 'ignore' });
    for (let tries = 0; !(await answers(this.port)); tries += 1) {
      if (tries > 200 || this.#process.exitCode !== null) throw new Error('nats-server did not start');
      await new Promise((resolve) => void setTimeout(resolve, 25));
    }
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
  }
}

/** A server says INFO to whoever connects. */
async function answers(port: number): Promise<boolean> {
  const socket = dial(port, address);
  try {
    await once(socket, 'data', { signal: AbortSignal.timeout(1000) });
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
