// Makes a checkout ready to run: installs what package-lock.json asks for if needed, then builds.
// Built-in modules only, because it runs before anything is installed. All output goes to stderr,
// so that the command that follows keeps stdout to itself.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import build, { buildExamples } from './build.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lockfile = join(root, 'package-lock.json');
const installed = join(root, 'node_modules', '.package-lock.json');

try {
  if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lockfile).mtimeMs) install();
  // `npm start` and `npm run example` need no tests and no benchmarks.
  if (process.argv[2] === 'examples') buildExamples();
  else build();
} catch (error) {
  console.error(`setup: ${error.message}`);
  process.exitCode = 1;
}

function install() {
  // `npm ci` deletes node_modules before it fetches anything: without a network it would leave nothing behind.
  if (existsSync(installed) && npm(['ping', '--fetch-retries=0', '--fetch-timeout=5000'], 'ignore') !== 0) {
    console.error('setup: node_modules is older than package-lock.json, but the registry does not answer; going on.');
    return;
  }
  console.error('setup: installing dependencies (npm ci) ...');
  if (npm(['ci', '--prefer-offline'], 2) !== 0) {
    throw new Error('npm ci failed, see above. Check the network, then run `npm ci` yourself.');
  }
}

function npm(args, output) {
  // Inside an npm script this is the npm that runs it; started by hand it is the one on the PATH.
  const running = process.env.npm_execpath;
  const [command, first] = running?.endsWith('npm-cli.js') ? [process.execPath, [running]] : ['npm', []];
  const shell = command === 'npm' && process.platform === 'win32';
  return spawnSync(command, [...first, ...args], { cwd: root, stdio: ['ignore', output, output], shell }).status;
}
