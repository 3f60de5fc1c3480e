import { relative } from 'node:path';
import type { Failure } from './events.ts';
import type { JobOutcome } from './job.ts';
import { packageTable } from './table.ts';
import { count, duration } from './units.ts';

const FAILURES_SHOWN = 20;

/** What `--json` prints. Names are those of the event fields; sizes are bytes, paths absolute. */
export function jsonDocument(outcome: JobOutcome): string {
  const { report, stalls, seconds, folder, threads, limit } = outcome;
  const document = {
    folder,
    threads,
    limit,
    totals: report.totals,
    packages: report.packages,
    failures: report.failures,
    seconds: Number(seconds.toFixed(3)),
    files_per_second: Number(filesPerSecond(outcome).toFixed(1)),
    main_thread_stall_ms: stalls,
    tree: outcome.tree,
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

/** What is printed otherwise. */
export function summaryText(outcome: JobOutcome): string {
  const { report, stalls, folder, threads, limit, tree } = outcome;
  const done = report.totals.files + report.failures.length;
  if (done === 0) return `No .js, .mjs or .cjs files below ${folder}.\n`;
  const parts = [packageTable(report, folder)];
  if (report.failures.length > 0) parts.push(failureText(report.failures, folder));
  if (tree !== null) parts.push(`The events of one file, over the threads:\n${tree}`);
  parts.push(
    `${count(done, 'file')} in ${duration(outcome.seconds)}: ${filesPerSecond(outcome).toFixed(1)} files/s with ` +
      `${count(threads, 'thread')}, at most ${count(limit, 'minification')} at once on this machine.\n` +
      `Main thread, ticks of a 2 ms interval: p99 ${stalls.p99} ms, longest stall ${stalls.max} ms.`,
  );
  return `${parts.join('\n\n')}\n`;
}

/** What more than one thread gave; one thread has weighed only that part of the bytes. */
export function comparisonText(outcome: JobOutcome, alone: JobOutcome, part: number): string {
  const all = alone.seconds / Math.max(part, 0.001);
  const times = (all / Math.max(outcome.seconds, 0.001)).toFixed(2);
  return (
    `With one thread ${duration(alone.seconds)} for ${Math.round(part * 100)} % of the bytes, so about ` +
    `${duration(all)} for all; with ${outcome.threads} ${duration(outcome.seconds)}: ${times} times as fast.\n`
  );
}

function failureText(failures: readonly Failure[], folder: string): string {
  const lines = failures.slice(0, FAILURES_SHOWN).map(({ path, reason }) => `  ${relative(folder, path)}: ${reason}`);
  if (failures.length > FAILURES_SHOWN) {
    lines.push(`  and ${failures.length - FAILURES_SHOWN} more; --json lists them all`);
  }
  return `Could not be weighed: ${count(failures.length, 'file')}\n${lines.join('\n')}`;
}

function filesPerSecond({ report, seconds }: JobOutcome): number {
  return (report.totals.files + report.failures.length) / Math.max(seconds, 0.001);
}
