import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { readmePrograms } from '../../scripts/readme-programs.mjs';
import { freePort } from '../helpers/free-port.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Below node_modules, so that the program finds the packages as a user's would. */
const folder = join(root, 'node_modules/.cache/production');
/** A namespace in which the program is process 1, as in a container. */
const alone = ['--pid', '--fork', '--mount-proc', '--kill-child'];
const canBeAlone = spawnSync('unshare', [...alone, 'true']).status === 0;
const major = Number(process.versions.node.split('.')[0]);
const permission = major >= 24 ? '--permission' : '--experimental-permission';
const network = major >= 25 ? ['--allow-net'] : [];
const permitted = [permission, '--allow-worker', '--allow-fs-read=*', ...network, '--no-warnings'];

interface Life {
  readonly live: string;
  readonly senseless: string;
  readonly under: readonly string[];
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly after: string;
}

interface Service {
  readonly child: ChildProcess;
  readonly lines: string[];
  readonly url: string;
}

const good: Life = {
  live: '200 live',
  senseless: '400 EventValidationError',
  under: ['200 41538'],
  code: 0,
  lines: ['ready', 'stopped'],
  after: 'fetch failed',
};

/** On a machine that others use, too. */
const patient = { timeout: 60_000 };

beforeAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const [program] = await readmePrograms(join(root, 'docs/guide/production.md'));
  for (const [name, code] of Object.entries(program?.files ?? {})) await writeFile(join(folder, name), code);
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }');
});

test(
  'production - SIGTERM under load: what came is answered, nothing new is taken, the process ends by itself',
  patient,
  async () => {
    const service = await start(process.execPath, []);
    expect(await life(service, service.child.pid as number)).toEqual(good);
  },
);

test('production - with the permissions that the guide names', patient, async () => {
  const service = await start(process.execPath, permitted);
  expect(await life(service, service.child.pid as number)).toEqual(good);
});

test.skipIf(!canBeAlone)('production - as process 1, whose signals do nothing by default', patient, async () => {
  const service = await start('unshare', [...alone, process.execPath]);
  const { pid } = service.child;
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  expect(await life(service, Number(children.trim()))).toEqual(good);
});

async function start(command: string, args: readonly string[]): Promise<Service> {
  const port = await freePort();
  const child = spawn(command, [...args, 'main.js'], {
    cwd: folder,
    env: { ...process.env, PORT: `${port}` },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const lines: string[] = [];
  const output = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  output.on('line', (line) => lines.push(line));
  await Promise.race([
    once(output, 'line'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`ended with ${code}`))),
  ]);
  return { child, lines, url: `http://127.0.0.1:${port}` };
}

/** Asks, sends SIGTERM while twelve requests are being answered, and tells what became of it all. */
async function life({ child, lines, url }: Service, pid: number): Promise<Life> {
  const get = async (path: string): Promise<string> => {
    const response = await fetch(url + path, { headers: { connection: 'close' } });
    return `${response.status} ${(await response.text()).trim()}`;
  };
  const live = await get('/live');
  const senseless = await get('/many');
  const exit = once(child, 'exit');
  const answers = Array.from({ length: 12 }, async () => get('/500000'));
  const arrived = async (): Promise<number> => {
    const { pool } = (await (await fetch(`${url}/stats`)).json()) as {
      pool: Record<'running' | 'waiting' | 'completed', number>;
    };
    return pool.running + pool.waiting + pool.completed;
  };
  while ((await arrived()) < answers.length) await new Promise((resolve) => void setTimeout(resolve, 5));
  process.kill(pid, 'SIGTERM');
  const under = [...new Set(await Promise.all(answers))];
  const [code] = (await exit) as [number | null];
  const after = await get('/live').catch((error: Error) => error.message);
  return { live, senseless, under, code, lines, after };
}
