import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);
const app = new URL('node_modules/.cache/packed/', root);
const packages = ['core', 'semaphore', 'worker'] as const;

/** Puts the packages, as users get them, and the programs that import them into a folder of their own. */
export function preparePacked(programs: readonly string[]): void {
  const folder = fileURLToPath(app);
  rmSync(folder, { recursive: true, force: true });
  for (const name of packages) mkdirSync(new URL(`node_modules/@threadbus/${name}`, app), { recursive: true });
  const script = fileURLToPath(new URL('scripts/pack.mjs', root));
  const tarballs = execFileSync(process.execPath, [script, folder], { encoding: 'utf8' }).trim().split('\n');
  tarballs.forEach((tarball, at) => {
    const into = fileURLToPath(new URL(`node_modules/@threadbus/${packages[at] ?? ''}`, app));
    execFileSync('tar', ['-xzf', tarball, '-C', into, '--strip-components=1']);
  });
  for (const program of programs) copyFileSync(new URL(program, import.meta.url), new URL(program, app));
}

/** One of the programs, or a package's main file. */
export function packed(name: string): URL {
  const isPackage = (packages as readonly string[]).includes(name);
  return new URL(isPackage ? `node_modules/@threadbus/${name}/dist/index.js` : name, app);
}
