// Other Node.js versions, as packages from the npm registry; kept in node_modules/.cache.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const execute = promisify(execFile);

/** The path of a Node.js binary of this major version, installed on first use; undefined if it can't be fetched. */
export async function fetchNode(major) {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const prefix = join(root, 'node_modules', '.cache', 'nodes', major);
  const folder = join(prefix, 'node_modules', name);
  const node = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(node)) {
    mkdirSync(prefix, { recursive: true });
    const args = ['install', `${name}@${major}`, '--prefer-offline', '--no-save', '--no-package-lock'];
    const shell = process.platform === 'win32';
    try {
      await execute('npm', [...args, '--prefix', prefix], { cwd: prefix, shell });
    } catch (error) {
      console.error(error.stderr ?? error);
    }
    if (!existsSync(node)) return undefined;
  }
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return version.startsWith(`${major}.`) ? node : undefined;
}
