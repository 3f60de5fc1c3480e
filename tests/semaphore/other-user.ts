import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { fixtureUrl } from '../helpers/fixture.ts';

/** Users that no other program of the machine should run as. */
export const [nobody, somebody] = [65_534, 65_533];

/** Why nothing can be run as another user; empty if it can. */
export function whyNoOtherUser(): string {
  if (process.getuid?.() !== 0) return 'only root can become another user';
  const { status } = spawnSync(process.execPath, ['-e', '0'], { uid: nobody, gid: nobody, cwd: '/' });
  return status === 0 ? '' : `user ${nobody} can't run ${process.execPath}`;
}

/**
 * The semaphores' fixtures where every user can read them: a checkout may lie below a folder of its owner alone.
 *
 * @returns the folder of the fixtures, with the package in reach
 */
export function fixturesForAll(): string {
  const place = mkdtempSync(join(tmpdir(), 'threadbus-fixtures-'));
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  const built = dirname(fileURLToPath(import.meta.resolve('@threadbus/semaphore')));
  const installed = join(place, 'node_modules', '@threadbus', 'semaphore');
  mkdirSync(installed, { recursive: true });
  cpSync(built, join(installed, 'dist'), { recursive: true });
  cpSync(join(built, '..', 'package.json'), join(installed, 'package.json'));
  cpSync(dirname(fileURLToPath(fixtureUrl('semaphore/hold-slot'))), join(place, 'semaphore'), { recursive: true });
  writeFileSync(join(place, 'package.json'), '{ "type": "module" }');
  openForReading(place);
  return join(place, 'semaphore');
}

/** 0755 for folders, 0644 for files. */
function openForReading(path: string): void {
  if (!lstatSync(path).isDirectory()) return chmodSync(path, 0o644);
  chmodSync(path, 0o755);
  for (const name of readdirSync(path)) openForReading(join(path, name));
}
