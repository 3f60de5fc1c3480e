import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { neededPackages } from './needed-packages.ts';

/** What the command line asks for, with every default filled in. */
export interface WeighArguments {
  readonly folder: string;
  /** Where the files are; all of them below `folder`. */
  readonly folders: readonly string[];
  readonly threads: number;
  readonly limit: number;
  readonly walPath: string | undefined;
  readonly logPath: string | undefined;
  readonly json: boolean;
  /** Weigh a part once more with one thread, to show what the threads give. */
  readonly compare: boolean;
  readonly help: boolean;
}

/** The command line can't be understood; the message says what was expected. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

export const usage = `Usage: npm start [-- [folder] [options]]

What would each package under a folder weigh in a bundle? Minifies every .js, .mjs and .cjs file with terser and
compresses it with gzip and brotli, in threads, and adds up the sizes for each package.

  folder        what to weigh; default: the third-party packages that core, worker and semaphore need when they run
                (npm start -- node_modules for all that are installed)
  --threads N   handler threads; default: the number of cores
  --limit N     minifications at once, over all runs of this command on this machine; default: the number of cores.
                Runs at the same time must use the same limit
  --wal FILE    append every completed event to FILE, one line of JSON each
  --log FILE    append a line to FILE when a minification starts and when it ends, with the machine's monotonic time
  --compare     weigh one of three files once more with one thread, and tell both times; by default if no folder is
                given
  --json        print one JSON document, and nothing else
  --help        print this text

Ctrl-C stops cleanly; again, it kills.
`;

const used = ['core', 'worker', 'semaphore'];
/** How far the numbers may go: more threads than this only cost memory. */
const MOST = 1024;

/**
 * Reads the command line.
 *
 * @param cwd what relative paths start from
 * @throws UsageError
 */
export function readArguments(args: readonly string[], cwd: string): WeighArguments {
  const { values, positionals } = parse(args);
  if (positionals.length > 1) {
    throw new UsageError(`Expected one folder, got ${positionals.length}: ${positionals.join(', ')}.`);
  }
  const cores = availableParallelism();
  const [folder] = positionals;
  return {
    ...(folder === undefined ? ownPackages() : given(resolve(cwd, folder))),
    threads: readCount('--threads', values.threads, cores),
    limit: readCount('--limit', values.limit, cores),
    walPath: readPath('--wal', values.wal, cwd),
    logPath: readPath('--log', values.log, cwd),
    json: values.json,
    compare: values.compare ?? folder === undefined,
    help: values.help,
  };
}

/**
 * Checks that the folder is there and the files can be written, before hours of work are lost over it.
 *
 * @throws UsageError
 */
export function checkPaths({ folder, walPath, logPath }: WeighArguments): void {
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new UsageError(`Expected a folder at ${folder}, found none.`);
  }
  for (const [option, path] of [
    ['--wal', walPath],
    ['--log', logPath],
  ] as const) {
    if (path === undefined) continue;
    try {
      mkdirSync(dirname(path), { recursive: true });
      closeSync(openSync(path, 'a'));
    } catch (error) {
      throw new UsageError(`Expected ${option} to name a file that can be written: ${(error as Error).message}.`, {
        cause: error,
      });
    }
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        threads: { type: 'string' },
        limit: { type: 'string' },
        wal: { type: 'string' },
        log: { type: 'string' },
        json: { type: 'boolean', default: false },
        compare: { type: 'boolean' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}

function readCount(option: string, text: string | undefined, byDefault: number): number {
  if (text === undefined) return byDefault;
  const count = /^\d+$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= MOST) return count;
  throw new UsageError(`Expected ${option} to be a whole number from 1 to ${MOST}, got "${text}".`);
}

function readPath(option: string, text: string | undefined, cwd: string): string | undefined {
  if (text === '') throw new UsageError(`Expected ${option} to be the path of a file, got an empty text.`);
  return text === undefined ? undefined : resolve(cwd, text);
}

interface Place {
  readonly folder: string;
  readonly folders: readonly string[];
}

function given(folder: string): Place {
  return { folder, folders: [folder] };
}

/** What the three packages that it uses need, in the checkout that this file was built in. */
function ownPackages(): Place {
  const folder = fileURLToPath(new URL('../../..', import.meta.url)).replace(/[/\\]$/, '');
  return { folder, folders: neededPackages(used.map((name) => join(folder, 'packages', name))) };
}
