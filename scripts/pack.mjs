// Builds the packages from nothing and puts their tarballs into a folder: `npm run pack -- ../my-app`.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import build from './build.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const packageNames = ['core', 'semaphore', 'worker'];

/** @returns the names of the tarballs */
export function pack(folder) {
  // The compiler keeps the outputs of deleted sources, and they would be packed.
  for (const name of packageNames) rmSync(join(root, 'packages', name, 'dist'), { recursive: true, force: true });
  build();
  const workspaces = packageNames.flatMap((name) => ['--workspace', `@threadbus/${name}`]);
  const { status, stderr } = spawnSync('npm', ['pack', ...workspaces, '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  });
  const tarballs = packageNames.map((name) => `threadbus-${name}-${versionOf(name)}.tgz`);
  const missing = tarballs.filter((tarball) => !existsSync(join(folder, tarball)));
  if (status !== 0 || missing.length > 0) throw new Error(`npm pack failed, missing: ${missing.join(', ')}\n${stderr}`);
  return tarballs;
}

function versionOf(name) {
  return JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')).version;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  // npm runs scripts in the project's folder; the path is meant from where it was called.
  const folder = resolve(process.env.INIT_CWD ?? '.', process.argv[2] ?? '.');
  if (existsSync(folder) && statSync(folder).isDirectory()) {
    for (const tarball of pack(folder)) console.log(join(folder, tarball));
  } else {
    console.error(`Expected a folder for the packages, got \`${folder}\`. Usage: npm run pack -- ../my-app`);
    process.exitCode = 2;
  }
}
