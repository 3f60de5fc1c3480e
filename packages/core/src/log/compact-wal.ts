import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { now } from '../basics/clock.ts';
import { compactionNames, type CompactionNames, identity, markReplaced, removeFile } from './compaction-files.ts';
import { alone } from './compaction-lock.ts';
import { Incomplete } from './incomplete.ts';
import { openLog, syncFolder } from './log-file.ts';
import { batchStart, carriedEnd, carriedLine } from './log-line.ts';
import { logPath } from './log-path.ts';
import { readLines } from './log-reader.ts';

/**
 * Takes out of a log what is complete: what is left is what `readWal(path, { incomplete: true })` gives.
 *
 * Atomic: whoever opens the file finds the old log or the new one, and no line that a bus writes meanwhile, in whichever
 * process, is lost. A compaction that is cut short, by kill -9 or a loss of power, loses nothing; the next one finishes
 * it. Lines that tell of no event are kept. A log of `walMode: 'completed'` is empty afterwards.
 *
 * @param path the bus's `walPath`; if there is no file, there is nothing to do
 * @returns a promise that resolves when the new log is on the disk and nothing else is left
 * @throws TypeError for a path that is none; the file system's error
 * @example await compactWal('./orders.jsonl');   // now and then, beside the buses that log to it
 */
export async function compactWal(path: string | URL): Promise<void> {
  const given = logPath('the log', path);
  if (identity(given) === null) return;
  // A link stays what it is.
  const log = fs.realpathSync(given);
  const names = compactionNames(log);
  await alone(names.lock, async () => compact(log, names));
}

/**
 * The old log gets a second name; what counts of it goes into a new file, which takes its place; then the old one is
 * marked as replaced, and what was added to it until then follows. A bus that writes to the old one after that sees the
 * mark when it looks, behind each write, and writes again to the new one: before it has told anybody.
 */
async function compact(log: string, names: CompactionNames): Promise<void> {
  await finish(log, names);
  fs.linkSync(log, names.before);
  const { rest, kept } = await survivors(names.before);
  const lines = [...kept, ...[...rest.lines()].map(({ text }) => carriedLine(text))];
  writeFile(names.next, lines, fs.statSync(log).mode & 0o777);
  fs.renameSync(names.next, log);
  syncFolder(dirname(log));
  await finish(log, names, kept.length);
}

/**
 * Brings into the log what the one before the compaction has and it hasn't; also what another one has left undone.
 *
 * @param keptBefore how many lines that tell of no event are in the log already
 */
async function finish(log: string, names: CompactionNames, keptBefore = Number.POSITIVE_INFINITY): Promise<void> {
  removeFile(names.next);
  const old = identity(names.before);
  if (old === null) return;
  if (old !== identity(log)) {
    markReplaced(names.before);
    const { rest, kept } = await survivors(names.before);
    const { rest: present } = await survivors(log);
    const lines = kept.slice(keptBefore);
    for (const { text, document } of rest.lines()) {
      if (present.state(String(document?.['event_id'])) === undefined) lines.push(carriedLine(text));
    }
    for (const id of present.carriedIds()) if (rest.state(id) === false) lines.push(carriedEnd(id, now()));
    appendTo(log, lines);
  }
  removeFile(names.before);
}

async function survivors(path: string): Promise<{ rest: Incomplete; kept: string[] }> {
  const rest = new Incomplete();
  const kept: string[] = [];
  for await (const lines of readLines(path)) {
    for (const line of lines) if (!rest.add(line)) kept.push(line.text);
  }
  return { rest, kept };
}

function writeFile(path: string, lines: readonly string[], mode: number): void {
  const fd = fs.openSync(path, 'wx', mode);
  try {
    for (const line of lines) fs.writeSync(fd, `${line}\n`);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}

function appendTo(path: string, lines: readonly string[]): void {
  if (lines.length === 0) return;
  const fd = openLog(path, true);
  try {
    for (const line of lines) fs.writeSync(fd, `${batchStart}${line}\n`);
    fs.fsyncSync(fd);
  } finally {
    fs.closeSync(fd);
  }
}
