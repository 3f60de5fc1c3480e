// Copies examples/starter as its README says, installs the packed packages, and uses it as a newcomer would: `npm test`,
// `npm start`, then its tests and its compiled self on each Node.js that is given. Part of `npm run check:install`.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readmeCommands } from './readme-programs.mjs';

const starter = join(dirname(dirname(fileURLToPath(import.meta.url))), 'examples', 'starter');
const execute = promisify(execFile);
/** Newcomers have a machine to themselves. */
const patience = ['--testTimeout=60000', '--hookTimeout=60000'];
const shell = process.platform === 'win32';

/** @param tarballs paths of the packed packages @param nodes binaries */
export async function tryStarter({ tarballs, folder, nodes }) {
  const app = join(folder, 'starter');
  cpSync(starter, app, { recursive: true, filter: (path) => !/^(?:node_modules|dist)$/.test(basename(path)) });
  for (const tarball of tarballs) copyFileSync(tarball, join(app, basename(tarball)));
  const commands = (await readmeCommands(join(starter, 'README.md'), 'Starter')).flat();
  const install = commands.find((command) => command.startsWith('npm install '));
  if (install === undefined || !commands.includes('npm test') || !commands.includes('npm start')) {
    throw new Error(`Expected the starter's README to install, test and start it, got: ${commands.join('; ')}`);
  }
  const names = install.split(' ').slice(2);
  const files = names.map((name) => tarballs.map((path) => `./${basename(path)}`).find((path) => matches(name, path)));
  const options = { cwd: app, shell, timeout: 180_000, env: { ...process.env, NO_COLOR: '1', CI: '' } };
  await execute('npm', ['install', ...files, '--prefer-offline', '--no-audit', '--no-fund'], options);
  await execute('npm', ['test', '--', ...patience], options);
  await execute('npm', ['run', 'typecheck'], options);
  await answers(options, 'npm', ['start']);
  await answers(options, process.execPath, ['--import', 'tsx', 'src/main.ts']);
  console.log('install-test: starter: npm install, npm test, npm start, and from its sources ok');
  for (const node of nodes) {
    await execute(node, [join(app, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...patience], options);
    await answers(options, node, ['--enable-source-maps', 'dist/main.js']);
    const { stdout } = await execute(node, ['--version']);
    console.log(`install-test: starter: its tests and its compiled self on node ${stdout.trim()} ok`);
  }
}

/** `./threadbus-core-*.tgz` as a shell would. */
function matches(pattern, path) {
  const [begin, end] = pattern.split('*');
  return path.startsWith(begin) && path.endsWith(end) && !path.slice(begin.length).includes('/');
}

/** Starts it, asks it something, and stops it with SIGTERM. */
async function answers({ cwd, env }, command, args) {
  const what = `${command} ${args.join(' ')}`;
  // A group of its own: npm doesn't hand signals on in every version.
  const child = spawn(command, args, { cwd, env: { ...env, PORT: '0' }, detached: true, stdio: ['ignore', 'pipe', 2] });
  const kill = (signal) => process.kill(-Number(child.pid), signal);
  const late = setTimeout(() => kill('SIGKILL'), 60_000);
  try {
    const exit = once(child, 'exit');
    const lines = [];
    let url;
    for await (const line of createInterface({ input: child.stdout })) {
      lines.push(line);
      const found = /listening on (\S+),/.exec(line)?.[1];
      if (found === undefined) continue;
      url = found;
      const body = await (await fetch(`${url}/primes/1000`, { headers: { connection: 'close' } })).text();
      if (body !== '168\n') throw new Error(`${what}: expected 168, got ${body}`);
      kill('SIGTERM');
    }
    await exit;
    if (url === undefined || lines.at(-1) !== 'stopped') {
      throw new Error(`${what}: expected it to listen, and to stop when told; it printed\n${lines.join('\n')}`);
    }
  } catch (error) {
    if (child.exitCode === null && child.signalCode === null) kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(late);
  }
}
