// Makes a checkout ready to run: installs what package-lock.json asks for if needed, then builds.
// Built-in modules only, because it runs before anything is installed. All output goes to stderr,
// so that the command that follows keeps stdout to itself.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const lockfile = join(root, 'package-lock.json');
const installed = join(root, 'node_modules', '.package-lock.json');
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');

if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(lockfile).mtimeMs) {
  install();
}
build();

function install() {
  console.error('setup: installing dependencies (npm ci) ...');
  // `npm ci` deletes node_modules before it fetches, so a lockfile that cannot be fetched would leave nothing
  // behind. Ask the registry first when there is something to lose.
  if (existsSync(compiler) && !online()) {
    console.error('setup: the registry does not answer; going on with the dependencies that are installed.');
    return;
  }
  const { status } = npm(['ci', '--prefer-offline', '--no-audit', '--no-fund']);
  if (status !== 0) {
    console.error('setup: npm ci failed, see above. Check the network, then run `npm ci` yourself.');
    process.exit(status ?? 1);
  }
}

function online() {
  return npm(['ping', '--fetch-retries=0', '--fetch-timeout=5000'], 'ignore').status === 0;
}

function npm(args, output = 2) {
  const options = { cwd: root, stdio: ['ignore', output, output] };
  // Inside an npm script this is the npm that runs it; started by hand it is the one on the PATH.
  const self = process.env.npm_execpath;
  if (self?.endsWith('.js')) return spawnSync(process.execPath, [self, ...args], options);
  return spawnSync('npm', args, { ...options, shell: process.platform === 'win32' });
}

function build() {
  const { status } = spawnSync(process.execPath, [compiler, '-b'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (status !== 0) {
    console.error('setup: the build (tsc -b) failed, see above.');
    process.exit(status ?? 1);
  }
}
