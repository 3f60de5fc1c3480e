import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { checkPaths, readArguments, usage, UsageError } from '../../examples/dist/weigh/arguments.js';
import { makeFolder } from '../helpers/folder.ts';

const cwd = resolve('/somewhere');

test('arguments - without any, what the own packages need is weighed on all cores, and compared', () => {
  const cores = availableParallelism();
  expect(readArguments([], cwd)).toEqual({
    folder: resolve('.'),
    folders: expect.arrayContaining(
      ['comlink', 'piscina', 'uuidv7', 'zod'].map((name) => resolve('node_modules', name)),
    ) as string[],
    threads: cores,
    limit: cores,
    walPath: undefined,
    logPath: undefined,
    json: false,
    compare: true,
    help: false,
  });
});

test('arguments - all of them; paths start from where the command was called', () => {
  const args = ['lib', '--threads', '3', '--limit=2', '--wal', 'a.wal', '--log', '/b.log', '--json'];
  expect(readArguments(args, cwd)).toEqual({
    folder: join(cwd, 'lib'),
    folders: [join(cwd, 'lib')],
    threads: 3,
    limit: 2,
    walPath: join(cwd, 'a.wal'),
    logPath: resolve('/b.log'),
    json: true,
    compare: false,
    help: false,
  });
});

test.each([
  [['--threads', '0'], 'Expected --threads to be a whole number from 1 to 1024, got "0".'],
  [['--threads', '1.5'], 'Expected --threads to be a whole number from 1 to 1024, got "1.5".'],
  [['--limit', 'two'], 'Expected --limit to be a whole number from 1 to 1024, got "two".'],
  [['--limit=-1'], 'Expected --limit to be a whole number from 1 to 1024, got "-1".'],
  [['--limit', '99999'], 'Expected --limit to be a whole number from 1 to 1024, got "99999".'],
  [['--wal='], 'Expected --wal to be the path of a file, got an empty text.'],
  [['a', 'b'], 'Expected one folder, got 2: a, b.'],
  [['--colour'], "Unknown option '--colour'"],
  [['--threads'], "Option '--threads <value>' argument missing"],
])('arguments - %j is refused', (args, message) => {
  expect(() => readArguments(args, cwd)).toThrow(UsageError);
  expect(() => readArguments(args, cwd)).toThrow(message);
});

test('arguments - the help names every option', () => {
  for (const option of ['folder', '--threads', '--limit', '--wal', '--log', '--json', '--help']) {
    expect(usage).toContain(`  ${option} `);
  }
});

test('arguments - a folder that is not there, and files that can not be written, are found before the start', async () => {
  const folder = await makeFolder({ 'a.js': '' });
  const given = readArguments([folder, '--wal', join(folder, 'new', 'a.wal')], cwd);
  expect(() => checkPaths(given)).not.toThrow();
  expect(() => checkPaths({ ...given, folder: join(folder, 'missing') })).toThrow(/Expected a folder at .*missing/);
  expect(() => checkPaths({ ...given, folder: join(folder, 'a.js') })).toThrow(UsageError);
  expect(() => checkPaths({ ...given, logPath: folder })).toThrow(
    /Expected --log to name a file that can be written: EISDIR/,
  );
});
