// What would each package under a folder weigh in a bundle? Started by `npm start`.
import { isWalWriteError, type Logger } from '@threadbus/core';
import { isSemaphoreLimitError, isSemaphoreUnavailableError } from '@threadbus/semaphore';
import { checkPaths, readArguments, usage, UsageError, type WeighArguments } from './arguments.ts';
import { InterruptedError, onInterruption } from './interruption.ts';
import { weighFiles } from './job.ts';
import { Progress } from './progress.ts';
import { countFiles, everyNth, type SourceFile, sourceFiles } from './source-files.ts';
import { comparisonText, jsonDocument, summaryText } from './summary.ts';
import { bytes, count } from './units.ts';

/** One of so many files tells what one thread would take for all. */
const COMPARED_PART = 3;

// Whoever reads the output may have seen enough (`| head`).
process.stdout.on('error', () => process.exit());

try {
  const { npm_lifecycle_event: script, INIT_CWD: calledIn } = process.env;
  // npm runs scripts in the project's folder; paths are meant from where npm was called.
  const given = readArguments(process.argv.slice(2), (script === 'start' ? calledIn : undefined) ?? process.cwd());
  if (given.help) process.stdout.write(usage);
  else await run(given);
} catch (error) {
  if (error instanceof UsageError) {
    process.stderr.write(`weigh: ${error.message}\n\n${usage}`);
    process.exitCode = 2;
  } else if (error instanceof InterruptedError) {
    process.stderr.write(`weigh: ${error.message}; the threads have ended, their slots are free.\n`);
    process.exitCode = error.exitCode;
  } else {
    const known = isSemaphoreLimitError(error) || isSemaphoreUnavailableError(error) || isWalWriteError(error);
    console.error(known ? `weigh: ${error.message}` : error);
    process.exitCode = 1;
  }
}

async function run(given: WeighArguments): Promise<void> {
  checkPaths(given);
  const { folder, folders, threads, limit, json, compare } = given;
  const signal = onInterruption();
  const output = json ? { write: () => true } : process.stderr;
  const all = await countFiles(folders, signal, ({ message }) => process.stderr.write(`weigh: left out: ${message}\n`));
  const progress = new Progress(output, all);
  progress.say(
    `Weighing ${count(all.files, 'file')} (${bytes(all.bytes)}) below ${folder} ` +
      `with ${count(threads, 'thread')}, at most ${count(limit, 'minification')} at once.`,
  );
  const job = {
    ...given,
    signal,
    onFile: ({ size }: SourceFile) => progress.advance(size),
    logger: progressLogger(progress),
  };
  const outcome = await weighFiles({ ...job, files: sourceFiles(folders) }).finally(() => progress.end());
  process.stdout.write(json ? jsonDocument(outcome) : summaryText(outcome));
  if (!compare || json || threads === 1 || all.files === 0) return;
  progress.say(`One of ${COMPARED_PART} files once more, with one thread, for comparison.`);
  const compared = { bytes: 0 };
  const alone = { ...job, threads: 1, walPath: undefined, logPath: undefined, onFile: () => undefined };
  const outcomeAlone = await weighFiles({ ...alone, files: everyNth(COMPARED_PART, sourceFiles(folders), compared) });
  process.stdout.write(comparisonText(outcome, outcomeAlone, compared.bytes / all.bytes));
}

/** Warnings and errors go above the bar. */
function progressLogger(progress: Progress): Logger {
  const say = (message: string): void => progress.say(`weigh: ${message}`);
  return { debug: () => {}, info: () => {}, warn: say, error: say };
}
