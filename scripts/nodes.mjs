// Other Node.js versions, as packages from the npm registry; kept in node_modules/.cache.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** The path of a Node.js binary of this major version, installed on first use; undefined if it can't be fetched. */
export function fetchNode(major) {
  if (process.versions.node.startsWith(`${major}.`)) return process.execPath;
  const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  const prefix = join(root, 'node_modules', '.cache', 'nodes', major);
  const folder = join(prefix, 'node_modules', name);
  const node = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (!existsSync(node)) {
    mkdirSync(prefix, { recursive: true });
    const args = ['install', `${name}@${major}`, '--prefer-offline', '--no-save', '--no-package-lock'];
    const { status, stderr } = spawnSync('npm', [...args, '--prefix', prefix], {
      cwd: prefix,
      encoding: 'utf8',
      shell: process.platform === 'win32',
    });
    if (status !== 0 || !existsSync(node)) {
      console.error(stderr);
      return undefined;
    }
  }
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return version.startsWith(`${major}.`) ? node : undefined;
}
