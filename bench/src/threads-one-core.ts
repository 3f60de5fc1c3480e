import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { BenchOptions, Row } from '../scenario.ts';

/**
 * The sequential load with all threads on one core.
 *
 * On several cores two threads that wait for each other mostly wait for cores to wake up: 20 to 150 µs, by where the
 * system puts them, which hides what is to be compared. On one core the times are those of the work.
 */
export async function onOneCore({ quick }: BenchOptions): Promise<Row[]> {
  const load = 'sequential, 300 B, on one core';
  const core = await firstCore();
  if (core === null) return [{ load, threadbus: 'needs Linux and taskset' }];
  const program = fileURLToPath(new URL('./threads-sequential.js', import.meta.url));
  const args = ['-c', core, process.execPath, program, ...(quick ? ['--quick'] : [])];
  const { stdout } = await promisify(execFile)('taskset', args);
  return (JSON.parse(stdout) as Row[]).map((row) => ({ ...row, load }));
}

/** A core that this process may use; null if that can't be chosen. */
async function firstCore(): Promise<string | null> {
  try {
    await promisify(execFile)('taskset', ['--version']);
    const status = await readFile('/proc/self/status', 'utf8');
    return /^Cpus_allowed_list:\s*(\d+)/m.exec(status)?.[1] ?? null;
  } catch {
    return null;
  }
}
