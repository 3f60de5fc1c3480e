import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { SemaphoreUnavailableError } from './errors.ts';

/** Where slots are kept if nobody says otherwise; every process that is to share them must see the same path. */
export function defaultDirectory(): string {
  const configured = process.env['THREADBUS_SEMAPHORE_DIR'];
  return configured ? resolve(configured) : ownDirectory(tmpdir());
}

/** A folder of this user alone, below one that all users share. */
export function ownDirectory(parent: string): string {
  return join(parent, `threadbus-${process.getuid?.() ?? 'user'}`);
}

/**
 * The folder of one semaphore. Any string is a name: it is hashed, so that it can neither leave the directory nor be
 * too long for it. Two spellings of one Unicode text are one name.
 */
export function semaphoreDirectory(directory: string, name: string): string {
  return join(resolve(directory), nameHash(name).toString('hex', 0, 16));
}

export function nameHash(name: string): Buffer {
  return createHash('sha256').update(name.normalize('NFC')).digest();
}

/** Errors of the file system that say: this can't work. The others mean that someone else was quicker. */
export function unavailable(name: string, path: string, cause: unknown): SemaphoreUnavailableError {
  const { code = 'unknown error' } = cause as NodeJS.ErrnoException;
  return new SemaphoreUnavailableError(
    name,
    `expected a folder for its slots that this user can write to at ${path}, got ${code}. ` +
      'Make it writable, or choose another one with THREADBUS_SEMAPHORE_DIR or `directory`.',
    { path, cause },
  );
}

/** Not `recursive`: where a file system answers ENOENT for good, as /proc does, Node 20 tries for ever. */
function makeWithParents(path: string): void {
  try {
    mkdirSync(path, 0o700);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path) throw error;
    makeWithParents(parent);
    try {
      mkdirSync(path, 0o700);
    } catch (again) {
      // Another process made it in between.
      if ((again as NodeJS.ErrnoException).code !== 'EEXIST') throw again;
    }
  }
}

/**
 * Makes a folder and what is missing above it, for this user alone (0700).
 *
 * @param owned refuse a folder that another user made or can write to: whoever owns it decides who gets a slot
 * @throws {SemaphoreUnavailableError} it can't be made, or is not this user's
 */
export function makeDirectory(name: string, path: string, owned: boolean): void {
  try {
    makeWithParents(path);
    if (!owned || process.getuid === undefined) return;
    const { uid, mode } = lstatSync(path);
    if (uid === process.getuid() && (mode & 0o170_022) === 0o040_000) return;
  } catch (error) {
    throw unavailable(name, path, error);
  }
  throw new SemaphoreUnavailableError(
    name,
    `expected ${path} to be a folder of this user that nobody else can write to, found another user's, a link, or wider ` +
      'permissions. Remove it, or choose another one with THREADBUS_SEMAPHORE_DIR or `directory`.',
    { path },
  );
}
