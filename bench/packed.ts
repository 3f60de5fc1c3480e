import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../../', import.meta.url);
const app = new URL('node_modules/.cache/packed/', root);

/** Puts the packages, as users get them, and the programs that import them into a folder of their own. */
export function preparePacked(programs: readonly string[]): void {
  const folder = fileURLToPath(app);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(app, { recursive: true });
  const script = fileURLToPath(new URL('scripts/pack.mjs', root));
  const tarballs = execFileSync(process.execPath, [script, folder], { encoding: 'utf8' }).trim().split('\n');
  for (const tarball of tarballs) {
    const name = /threadbus-([a-z]+)-[^/\\]*\.tgz$/.exec(tarball)?.[1];
    if (name === undefined) throw new Error(`Expected the tarball of a package, got \`${tarball}\``);
    const into = new URL(`node_modules/@threadbus/${name}`, app);
    mkdirSync(into, { recursive: true });
    execFileSync('tar', ['-xzf', tarball, '-C', fileURLToPath(into), '--strip-components=1']);
  }
  for (const program of programs) copyFileSync(new URL(program, import.meta.url), new URL(program, app));
}

/** One of the programs. */
export function packedProgram(name: string): URL {
  return new URL(name, app);
}

/** A package's main file. */
export function packedPackage(name: string): URL {
  return new URL(`node_modules/@threadbus/${name}/dist/index.js`, app);
}
