import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import {
  isSemaphoreTimeoutError,
  isSemaphoreUnavailableError,
  MultiprocessSemaphore,
  retry,
  type MultiprocessSemaphoreOptions,
} from '@threadbus/semaphore';
import { expect, test } from 'vitest';
import { Holder } from '../holder.ts';
import { fixturesForAll, nobody, somebody, whyNoOtherUser } from '../other-user.ts';
import { temporaryDirectory, uniqueName } from '../temporary-directory.ts';

type Shared = NonNullable<MultiprocessSemaphoreOptions['shared']>;

const caught = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

async function make(shared?: Shared) {
  const options = { name: uniqueName(), limit: 1, directory: join(temporaryDirectory(), 'slots'), shared };
  const semaphore = new MultiprocessSemaphore(options);
  const folder = String((await semaphore.inspect()).directory);
  return { options, semaphore, folder };
}

const mode = (path: string): string => (statSync(path).mode & 0o7777).toString(8);
const old = new Date(Date.now() - 30 * 86_400_000);

/** Files of somebody else's, far older than anything of ours. */
function precious(): { folder: string; left: () => string[] } {
  const folder = join(temporaryDirectory(), 'precious');
  mkdirSync(folder);
  const names = ['5.conf', 'id_rsa', 'notes.txt', 'slot.0.txt', 'user.1', 'wait.00.1'];
  for (const name of names) {
    writeFileSync(join(folder, name), 'mine');
    utimesSync(join(folder, name), old, old);
  }
  return { folder, left: () => readdirSync(folder).filter((name) => names.includes(name)) };
}

test.each(['the directory', "the semaphore's folder"])(
  'directory - a link in place of %s is refused',
  async (which) => {
    const { semaphore, folder, options } = await make();
    const { folder: target, left } = precious();
    const link = which === 'the directory' ? options.directory : folder;
    mkdirSync(dirname(link), { recursive: true, mode: 0o700 });
    symlinkSync(target, link);
    const error = await caught(semaphore.acquire({ timeout: 1 }));
    expect(isSemaphoreUnavailableError(error)).toBe(true);
    expect(error).toMatchObject({ path: link });
    expect(String(error)).toMatch(/found a link/);
    expect(await caught(semaphore.tryAcquire())).toMatchObject({ code: 'ERR_SEMAPHORE_UNAVAILABLE' });
    expect([left().length, readdirSync(target).length]).toEqual([6, 6]);
  },
);

test.each([0o777, 0o770, 0o720, 0o1777])('directory - one that others can write to is refused: %o', async (bits) => {
  for (const isInner of [false, true]) {
    const { semaphore, folder, options } = await make();
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chmodSync(isInner ? folder : options.directory, bits);
    const error = await caught(semaphore.acquire({ timeout: 1 }));
    expect(error).toMatchObject({ code: 'ERR_SEMAPHORE_UNAVAILABLE', path: isInner ? folder : options.directory });
    expect(String(error)).toMatch(
      /expected .* to be a folder of this user that nobody else can write to, found one of/,
    );
  }
});

test('directory - one that others can only read is fine', async () => {
  const { semaphore, options } = await make();
  mkdirSync(options.directory);
  chmodSync(options.directory, 0o755);
  expect((await semaphore.acquire()).signal.aborted).toBe(false);
});

test('directory - in a folder that all share only names of our own form are removed, and no link is followed', async () => {
  const { semaphore, folder, options } = await make('all');
  const { folder: target, left } = precious();
  await (await semaphore.acquire()).release();
  const strange = ['id_rsa', 'slot.0.x', 'slot.0.1.2.a_b_c', 'wait.1.1.1.x.y', 'user.1.z.z', 'users', 'slot.0.', '..x'];
  for (const name of strange.slice(0, -3)) {
    writeFileSync(join(folder, name), 'mine');
    utimesSync(join(folder, name), old, old);
  }
  for (const name of strange.slice(-3)) symlinkSync(target, join(folder, name));
  const lease = await semaphore.acquire({ timeout: 1 });
  await expect(new MultiprocessSemaphore(options).acquire({ timeout: 0.1 })).rejects.toSatisfy(isSemaphoreTimeoutError);
  await lease.release();
  expect(readdirSync(folder).filter((name) => strange.includes(name)).length).toBe(strange.length);
  expect(left()).toHaveLength(6);
});

test('directory - a wake writes to nothing but a mark: not through a link, nor into a file that has another name', async () => {
  const { semaphore, folder, options } = await make('all');
  const target = join(temporaryDirectory(), 'victim');
  writeFileSync(target, '');
  const holder = await Holder.process(options);
  await holder.acquire();
  const lease = semaphore.acquire();
  const tickets = (): string[] => readdirSync(folder).filter((name) => name.startsWith('wait.'));
  while (tickets().length === 0) await new Promise((resolve) => setImmediate(resolve));
  // A waiter that came first, whose mark is a link to the victim.
  const own = readdirSync(folder).filter((name) => name.startsWith('user.'));
  const [ticket = ''] = tickets();
  const forged = ticket.replace(/^wait\.\d+/, `wait.${'0'.repeat(17)}`).replace(/\.[0-9a-z]+-[0-9a-z]+$/, '.forged');
  writeFileSync(join(folder, `${forged}-1`), '');
  symlinkSync(target, join(folder, `user.1.${forged.split('.').slice(4).join('.')}`));
  await holder.release();
  await (await lease).release();
  expect(own.length).toBeGreaterThan(0);
  expect(readFileSync(target, 'utf8')).toBe('');
});

test.each([
  ['user', '700', '600'],
  ['group', '2770', '660'],
  ['all', '777', '666'],
] as const)('shared - %s: folders of mode %s, whatever the umask', async (shared, folders, files) => {
  const { options, folder } = await make(shared);
  const holder = await Holder.elsewhere(options, ['sh', '-c', 'umask 077; exec "$0" "$@"']);
  await holder.acquire();
  expect([mode(options.directory), mode(folder)]).toEqual([folders, folders]);
  const users = readdirSync(folder).filter((name) => name.startsWith('user.'));
  expect(users.map((name) => mode(join(folder, name)))).toEqual([files]);
  await holder.release();
});

test.each([
  ['user', 'group'],
  ['user', 'all'],
  ['group', 'user'],
  ['group', 'all'],
  ['all', 'user'],
  ['all', 'group'],
] as const)('shared - a directory of %s is none for %s', async (first, second) => {
  const { options, semaphore } = await make(first);
  const lease = await semaphore.acquire();
  const error = await caught(new MultiprocessSemaphore({ ...options, shared: second }).acquire({ timeout: 1 }));
  expect(isSemaphoreUnavailableError(error)).toBe(true);
  await lease.release();
});

test.each(['world', '', 7, null])('shared - %j is refused', (shared) => {
  const options = { name: 'n', limit: 1, shared: shared as 'all' };
  expect(() => new MultiprocessSemaphore(options)).toThrow(/Expected `shared` to be one of user, group, all/);
});

test('shared - unknown options are refused, with what was meant', () => {
  expect(() => new MultiprocessSemaphore({ name: 'n', limit: 1, dirctory: '/x' } as never)).toThrow(
    'Did you mean `directory`?',
  );
  expect(() => new MultiprocessSemaphore({ name: 'n', limit: 1, directory: 5 } as never)).toThrow(/to be a path/);
});

test.for([
  ['all', nobody, somebody],
  ['group', nobody, nobody],
] as const)(
  'shared - %s: users hold one limit, and a dead one is replaced',
  async ([shared, gid, otherGid], context) => {
    const why = whyNoOtherUser();
    context.skip(why !== '', why);
    const fixtures = fixturesForAll();
    const parent = temporaryDirectory();
    chmodSync(parent, 0o1777);
    const options = { name: uniqueName(), limit: 1, directory: join(parent, 'slots'), shared };
    const [one, other] = [
      await Holder.elsewhere(options, [], { uid: nobody, gid, fixtures }),
      await Holder.elsewhere(options, [], { uid: somebody, gid: otherGid, fixtures }),
    ];
    await one.acquire();
    other.tell({ do: 'acquire', timeout: 0.2 });
    await other.report('failed ERR_SEMAPHORE_TIMEOUT');
    other.tell({ do: 'acquire' });
    await one.release();
    await other.report('acquired');
    await one.end('SIGKILL');
    const third = await Holder.elsewhere(options, [], { uid: nobody, gid, fixtures });
    third.tell({ do: 'acquire' });
    await other.end('SIGKILL');
    // Without a sticky bit the one user removes what the other one left.
    expect(await third.report('acquired')).toBeUndefined();
  },
);

test("shared - user: another user's directory, and one without write permission, are refused", async (context) => {
  const why = whyNoOtherUser();
  context.skip(why !== '', why);
  const fixtures = fixturesForAll();
  const parent = temporaryDirectory();
  chmodSync(parent, 0o755);
  mkdirSync(join(parent, 'theirs'));
  for (const [directory, problem] of [
    ['theirs', /found one of user 0, group 0 and mode/],
    ['none', /got EACCES/],
  ] as const) {
    const options = { name: 'n', limit: 1, directory: join(parent, directory) };
    const holder = await Holder.elsewhere(options, [], { uid: nobody, gid: nobody, fixtures });
    holder.tell({ do: 'acquire' });
    expect(await holder.report('failed ERR_SEMAPHORE_UNAVAILABLE')).toMatch(problem);
  }
});

test('directory - a rate limit keeps no record in a file of another name', async () => {
  const directory = join(temporaryDirectory(), 'slots');
  const victim = join(temporaryDirectory(), 'victim');
  writeFileSync(victim, 'mine');
  const run = retry({
    retries: 0,
    semaphoreScope: 'multiprocess',
    semaphoreName: 'rate',
    semaphoreDirectory: directory,
    rateLimit: { limit: 1, interval: 0.01 },
    logger: { warn() {}, error() {} },
  })(async () => 'ran');
  expect(await run()).toBe('ran');
  const [record = ''] = readdirSync(directory).filter((name) => name.endsWith('.rate'));
  expect(lstatSync(join(directory, record)).isFile()).toBe(true);
  const { unlinkSync } = await import('node:fs');
  unlinkSync(join(directory, record));
  symlinkSync(victim, join(directory, record));
  expect(await caught(run())).toMatchObject({ code: 'ERR_SEMAPHORE_UNAVAILABLE' });
  expect(readFileSync(victim, 'utf8')).toBe('mine');
  expect(existsSync(victim)).toBe(true);
});
