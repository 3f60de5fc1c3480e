import { execFile, spawnSync } from 'node:child_process';
import { chmodSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { fixturesForAll, whyNoOtherUser } from '../other-user.ts';
import { temporaryDirectory } from '../temporary-directory.ts';

// Slots that users share on a machine that hides them from each other, or that keeps them from opening each other's files.

const hiding = ['unshare', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c'] as const;
const mount = 'mount -t proc -o hidepid=2 proc /proc';

function whyNotHidden(): string {
  const [program, ...args] = hiding;
  const { status } = spawnSync(program, [...args, mount]);
  return status === 0 ? '' : `this machine does not permit ${mount}`;
}

/** What the kernel keeps users from; the highest is 2. */
function protectedRegular(): number {
  try {
    return Number(readFileSync('/proc/sys/fs/protected_regular', 'utf8'));
  } catch {
    return 0;
  }
}

/** Two users under one limit of 1; the first is killed while it holds. */
async function twoUsers(command: readonly [string, ...string[]], shell: (run: string) => string): Promise<unknown> {
  const parent = temporaryDirectory();
  chmodSync(parent, 0o1777);
  const file = join(fixturesForAll(), 'in-namespace.js');
  const run = [process.execPath, file, 'users', join(parent, 'slots')].map((part) => `'${part}'`).join(' ');
  const [program, ...args] = command;
  const { stdout } = await promisify(execFile)(program, [...args, shell(run)]);
  return JSON.parse(stdout);
}

const fine = { whileHeld: 'ERR_SEMAPHORE_TIMEOUT', afterKill: 'acquired' };

test('hardened - hidepid: users who do not see each other hold one limit, and a killed one is replaced', async (context) => {
  const why = whyNoOtherUser() || whyNotHidden();
  context.skip(why !== '', why);
  // Hidden, it is told from the dead by what a signal to it would be answered.
  expect(await twoUsers(hiding, (run) => `${mount} && exec ${run}`)).toEqual({ ...fine, holders: ['unknown'] });
});

test('hardened - fs.protected_regular: users hold one limit, and a killed one is replaced', async (context) => {
  const why = whyNoOtherUser() || (protectedRegular() === 0 ? 'fs.protected_regular is 0 on this machine' : '');
  context.skip(why !== '', why);
  expect(await twoUsers(['sh', '-c'], (run) => run)).toEqual({ ...fine, holders: ['alive'] });
});
