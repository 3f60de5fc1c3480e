import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, renameSync, rmdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { SemaphoreUnavailableError } from './errors.ts';

/** Which users of the machine share slots. */
export type Sharing = 'user' | 'group' | 'all';

/** Where slots are kept if nobody says otherwise; every process that is to share them must see the same path. */
export function defaultDirectory(shared: Sharing = 'user'): string {
  const configured = process.env['THREADBUS_SEMAPHORE_DIR'];
  if (configured) return resolve(configured);
  if (shared === 'all') return join(tmpdir(), 'threadbus-all');
  return shared === 'group' ? join(tmpdir(), `threadbus-g${process.getegid?.() ?? 0}`) : ownDirectory(tmpdir());
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

interface Access {
  /** Permissions of a folder that we make. */
  readonly mode: number;
  readonly files: number;
  readonly isFine: (stat: { uid: number; gid: number; mode: number }, isInner: boolean) => boolean;
  readonly expected: string;
}

const access: Readonly<Record<Sharing, Access>> = {
  user: {
    mode: 0o700,
    files: 0o600,
    isFine: ({ uid, mode }) => uid === process.getuid?.() && (mode & 0o022) === 0,
    expected: 'a folder of this user that nobody else can write to',
  },
  group: {
    mode: 0o2770,
    files: 0o660,
    isFine: ({ gid, mode }) =>
      (gid === process.getegid?.() || process.getgroups?.().includes(gid) === true) && (mode & 0o2772) === 0o2770,
    expected: "a folder of mode 2770 of this process's group",
  },
  all: {
    mode: 0o777,
    files: 0o666,
    // In a sticky folder nobody can remove what a dead process of another user left.
    isFine: ({ mode }, isInner) => (mode & 0o777) === 0o777 && !(isInner && (mode & 0o1000) !== 0),
    expected: 'a folder that all users can write to (mode 1777, or 0777)',
  },
};

/** What files in the folders may be done with. */
export const fileMode = (shared: Sharing): number => access[shared].files;

/** Not `recursive`: where a file system answers ENOENT for good, as /proc does, Node 20 tries for ever. */
function makeWithParents(path: string, shared: Sharing, isParent = false): void {
  const make = (): void => {
    if (isParent) mkdirSync(path, shared === 'user' ? 0o700 : 0o755);
    else makeOne(path, shared);
  };
  try {
    make();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path) throw error;
    makeWithParents(parent, shared, true);
    try {
      make();
    } catch (again) {
      // Another process made it in between.
      if ((again as NodeJS.ErrnoException).code !== 'EEXIST') throw again;
    }
  }
}

function makeOne(path: string, shared: Sharing): void {
  if (shared === 'user') {
    mkdirSync(path, 0o700);
    return;
  }
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) {
    throw Object.assign(new Error(`EEXIST: ${path}`), { code: 'EEXIST' });
  }
  // The umask takes permissions away, and no other user may find the folder without them: so it gets its name last.
  const nameless = `${path}.${randomBytes(6).toString('hex')}`;
  mkdirSync(nameless, 0o700);
  try {
    chmodSync(nameless, access[shared].mode);
    renameSync(nameless, path);
  } catch (error) {
    rmdirSync(nameless);
    const { code } = error as NodeJS.ErrnoException;
    // Another user's, who was quicker, with something in it or in a sticky folder.
    if (code !== 'ENOTEMPTY' && code !== 'EPERM' && code !== 'EACCES') throw error;
    if (lstatSync(path, { throwIfNoEntry: false }) === undefined) throw error;
    throw Object.assign(new Error(`EEXIST: ${path}`), { code: 'EEXIST' });
  }
}

/**
 * Makes a folder and what is missing above it, for those who share it.
 *
 * What is there already is refused if it is a link, or if others than those can write to it: who can write to it decides
 * who gets a slot.
 *
 * @param isInner the folder of one semaphore
 * @throws {SemaphoreUnavailableError} it can't be made, or is not as it should be
 */
export function makeDirectory(name: string, path: string, shared: Sharing, isInner = false): void {
  const { isFine, expected } = access[shared];
  let found = 'a link';
  try {
    makeWithParents(path, shared);
    if (process.getuid === undefined) return;
    const stat = lstatSync(path);
    if (stat.isDirectory() && isFine(stat, isInner)) return;
    if (stat.isDirectory()) {
      found = `one of user ${stat.uid}, group ${stat.gid} and mode ${(stat.mode & 0o7777).toString(8)}`;
    }
  } catch (error) {
    throw unavailable(name, path, error);
  }
  throw new SemaphoreUnavailableError(
    name,
    `expected ${path} to be ${expected}, found ${found}. Remove it, or choose another one with ` +
      'THREADBUS_SEMAPHORE_DIR or `directory`.',
    { path },
  );
}
