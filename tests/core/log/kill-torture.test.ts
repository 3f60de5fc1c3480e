import {
  appendFileSync,
  copyFileSync,
  existsSync,
  linkSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
} from 'node:fs';
import { join } from 'node:path';
import { compactWal, readWal } from '@threadbus/core';
import { expect, test } from 'vitest';
import { startProgram } from '../../helpers/run-program.ts';
import { tempFolder } from '../../helpers/temp-folder.ts';

/** Seconds for each of the four; `npm run torture:log` takes longer. */
const seconds = Number(process.env['THREADBUS_TORTURE_SECONDS'] ?? 9);

const torn = '{"event_type":"Torn","event_id":"01a2';

interface Told {
  readonly logged: Set<string>;
  readonly done: Set<string>;
}

/** A writer that is killed after a random while. What it had told until then, it had promised. */
async function killedWriter(args: readonly string[], told: Told): Promise<void> {
  const writer = startProgram('log-writer', args);
  let text = '';
  writer.stdout?.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const closed = new Promise<void>((resolve) => void writer.once('close', () => resolve()));
  await Promise.race([closed, new Promise<void>((resolve) => writer.stdout?.once('data', () => resolve()))]);
  await pause(Math.random() * 600);
  // None ends by itself.
  expect([writer.exitCode, text === '']).toEqual([null, false]);
  writer.kill('SIGKILL');
  await closed;
  for (const line of text.split('\n').slice(0, -1)) {
    const [what, id = ''] = line.split(' ');
    told[what as keyof Told].add(id);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

/** Writers at the same file, killed and started again, until the time is over. */
async function torture(
  walPath: string,
  writers: number,
  mode: readonly string[],
  meanwhile: () => unknown,
): Promise<Told> {
  const told: Told = { logged: new Set(), done: new Set() };
  const end = performance.now() + seconds * 1000;
  const time = { over: false };
  const others = (async () => {
    while (!time.over) {
      await pause(100);
      await meanwhile();
    }
  })();
  await Promise.all(
    Array.from({ length: writers }, async () => {
      while (performance.now() < end) await killedWriter([walPath, ...mode], told);
    }),
  );
  time.over = true;
  await others;
  return told;
}

interface Read {
  readonly ended: Set<string>;
  readonly incomplete: Set<string>;
  /** Lines that are neither whole nor torn. */
  readonly bad: number;
}

async function readAll(paths: readonly string[]): Promise<Read> {
  const ended = new Set<string>();
  const incomplete = new Set<string>();
  let bad = 0;
  const onBadLine = (): void => void (bad += 1);
  for (const path of paths) {
    for await (const { event_id } of readWal(path, { onBadLine })) ended.add(event_id);
    for await (const { event_id } of readWal(path, { incomplete: true })) incomplete.add(event_id);
  }
  return { ended, incomplete, bad };
}

function missing(promised: ReadonlySet<string>, ...found: ReadonlySet<string>[]): string[] {
  return [...promised].filter((id) => !found.some((set) => set.has(id)));
}

// What three writers have written meanwhile takes about as long to read on a busy machine.
const limit = seconds * 2_000 + 60_000;

test.each([1, 4])(
  'kill-torture - %i writers, walSync, the file moved away: what was awaited is there, and every line can be read',
  async (writers) => {
    const folder = tempFolder();
    const walPath = join(folder, 'log.jsonl');
    let moves = 0;
    const told = await torture(walPath, writers, ['completed', 'true'], () => {
      // Kills seldom tear a line where a write is one step for the system; so some are torn by hand.
      appendFileSync(walPath, torn);
      if (Math.random() < 0.1) renameSync(walPath, join(folder, `moved-${(moves += 1)}`));
    });
    const { ended, bad } = await readAll(readdirSync(folder).map((name) => join(folder, name)));
    expect(told.done.size).toBeGreaterThan(10);
    expect([missing(told.done, ended), bad]).toEqual([[], 0]);
  },
  limit,
);

test(
  'kill-torture - ahead, with the file moved away and compacted: what was logged has an end or comes back',
  async () => {
    const folder = tempFolder();
    const walPath = join(folder, 'log.jsonl');
    let moves = 0;
    const told = await torture(walPath, 3, ['ahead', 'false'], async () => {
      if (!existsSync(walPath)) return;
      if (Math.random() < 0.1) renameSync(walPath, join(folder, `moved-${(moves += 1)}`));
      else if (Math.random() < 0.3) {
        // A compaction takes away what is complete: under a second name the file keeps all that was ever written to it.
        linkSync(walPath, join(folder, `before-${(moves += 1)}`));
        await compactWal(walPath);
      }
    });
    const paths = readdirSync(folder).map((name) => join(folder, name));
    expect(paths.filter((path) => path.includes('compact'))).toEqual([]);
    const { ended, incomplete, bad } = await readAll(paths);
    expect(told.logged.size).toBeGreaterThan(10);
    expect(bad).toBe(0);
    expect(missing(told.logged, ended, incomplete)).toEqual([]);
  },
  limit,
);

test(
  'kill-torture - a loss of power takes nothing that was awaited: the file as the disk last had it',
  async () => {
    const folder = tempFolder();
    const walPath = join(folder, 'log.jsonl');
    const synced = join(folder, 'synced');
    const told = await torture(walPath, 2, ['completed', 'true', synced], () => undefined);
    const { ino } = statSync(walPath);
    const lengths = readFileSync(synced, 'utf8')
      .split('\n')
      .map((line) => line.split(' ').map(Number))
      .filter(([file]) => file === ino)
      .map(([, length = 0]) => length);
    const left = join(folder, 'left');
    copyFileSync(walPath, left);
    truncateSync(left, Math.max(...lengths));
    const { ended, bad } = await readAll([left]);
    expect([missing(told.done, ended), bad]).toEqual([[], 0]);
  },
  limit,
);
