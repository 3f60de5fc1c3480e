// A nats-server of an example's own: on a free port of the loopback address, with a folder of its own.
import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export class Broker implements AsyncDisposable {
  readonly url: string;
  readonly #port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'threadbus-example-'));
  #process: ChildProcess | null = null;

  private constructor(port: number) {
    this.#port = port;
    this.url = `nats://127.0.0.1:${port}`;
  }

  static async start(): Promise<Broker> {
    if (spawnSync('nats-server', ['--version']).status !== 0) {
      console.error('This example needs nats-server: apt-get install nats-server, or see https://nats.io/download.');
      process.exit(1);
    }
    const probe = createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    const { port } = probe.address() as { port: number };
    probe.close();
    const broker = new Broker(port);
    await broker.start();
    return broker;
  }

  async start(): Promise<void> {
    const options = ['-a', '127.0.0.1', '-p', `${this.#port}`, '-js', '-sd', this.#folder];
    this.#process = spawn('nats-server', options, { stdio: 'ignore' });
    while (!(await this.#answers())) await new Promise((resolve) => void setTimeout(resolve, 50));
  }

  /** kill -9 */
  async kill(): Promise<void> {
    const child = this.#process;
    this.#process = null;
    if (child === null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #answers(): Promise<boolean> {
    const socket = connect(this.#port, '127.0.0.1');
    const answered = await once(socket, 'data').then(
      () => true,
      () => false,
    );
    socket.destroy();
    return answered;
  }
}

/** A process of the example, once it says that it is ready. */
export async function startProcess(file: URL, ...args: string[]): Promise<ChildProcess> {
  const child = fork(fileURLToPath(file), args);
  await once(child, 'message');
  return child;
}
