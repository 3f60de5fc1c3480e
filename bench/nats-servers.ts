import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect as dial, createServer } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What of the servers is installed here. */
export const hasNats: boolean = spawnSync('nats-server', ['--version']).status === 0;
export const hasRedis: boolean = spawnSync('redis-server', ['--version']).status === 0;

/** A NATS server, which ends with this process. @returns its address */
export async function startNats(): Promise<string> {
  const port = await freePort();
  const folder = ownFolder();
  endWithThis(spawn('nats-server', ['-a', '127.0.0.1', '-p', `${port}`, '-js', '-sd', folder], { stdio: 'ignore' }));
  // It speaks first.
  while (!(await answers(port, null)));
  return `nats://127.0.0.1:${port}`;
}

/** A Redis server that keeps nothing on disk, which ends with this process. @returns its port */
export async function startRedis(): Promise<number> {
  const port = await freePort();
  const args = ['--bind', '127.0.0.1', '--port', `${port}`, '--save', '', '--appendonly', 'no', '--dir', ownFolder()];
  endWithThis(spawn('redis-server', args, { stdio: 'ignore' }));
  while (!(await answers(port, 'PING\r\n')));
  return port;
}

/** The other process, which ends with this one. @returns once it has said something */
export async function startFar(program: string, ...args: readonly string[]): Promise<void> {
  const far = fork(fileURLToPath(new URL(program, import.meta.url)), args);
  endWithThis(far);
  await once(far, 'message');
}

/** So many calls, of which so many wait at a time. @returns how many gave what they should */
export async function calls(size: number, callers: number, call: (n: number) => Promise<number>): Promise<number> {
  let next = 0;
  let right = 0;
  await Promise.all(
    Array.from({ length: callers }, async () => {
      for (let n = next++; n < size; n = next++) {
        const isRight = (await call(n)) === n * n;
        if (isRight) right += 1;
      }
    }),
  );
  return right;
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  return port;
}

async function answers(port: number, question: string | null): Promise<boolean> {
  const socket = dial(port, '127.0.0.1');
  if (question !== null) socket.write(question);
  const answered = await once(socket, 'data').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return answered;
}

function ownFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'threadbus-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  return folder;
}

function endWithThis(child: ChildProcess): void {
  process.on('exit', () => child.kill('SIGKILL'));
  child.unref();
}
