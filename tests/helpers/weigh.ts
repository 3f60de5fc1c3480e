import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** How a run of the example ended. */
export interface WeighResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of `examples/weigh` in a process of its own; killed if the test ends before it does. */
export interface WeighRun {
  readonly child: ChildProcess;
  readonly result: Promise<WeighResult>;
}

const program = fileURLToPath(new URL('../../examples/dist/weigh/main.js', import.meta.url));

export function startWeigh(args: readonly string[], slots: string): WeighRun {
  return start(process.execPath, [program, ...args], slots);
}

/** @param slots the folder of the semaphore, so that tests don't share the machine's */
export async function runWeigh(args: readonly string[], slots: string): Promise<WeighResult> {
  return startWeigh(args, slots).result;
}

/** `npm start` in the project's folder, as if called by hand there. */
export async function npmStart(args: readonly string[], slots: string): Promise<WeighResult> {
  return start('npm', ['start', '--silent', '--', ...args], slots).result;
}

function start(command: string, args: readonly string[], slots: string): WeighRun {
  const { npm_lifecycle_event: _script, INIT_CWD: _calledIn, ...env } = process.env;
  const child = spawn(command, args, {
    env: { ...env, THREADBUS_SEMAPHORE_DIR: slots, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (output[name] += text));
  }
  const result = new Promise<WeighResult>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, ...output }));
  });
  return { child, result };
}

/** A line of `--log`. */
export interface LogLine {
  readonly what: 'start' | 'end';
  /** Nanoseconds of the machine's monotonic clock. */
  readonly at: bigint;
  readonly pid: number;
  readonly threadId: number;
  readonly path: string;
}

/** What `--log` holds so far, by time; nothing if it isn't there yet. */
export async function readLog(file: string): Promise<LogLine[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const lines = text.split('\n').filter((line) => line !== '');
  const parsed = lines.map((line): LogLine => {
    const [, what, at = '', pid, threadId, path = ''] = /^(start|end) (\d+) (\d+)\/(\d+) (.*)$/.exec(line) ?? [];
    if (what !== 'start' && what !== 'end') throw new Error(`Expected a line of the log, got: ${line}`);
    return { what, at: BigInt(at), pid: Number(pid), threadId: Number(threadId), path };
  });
  // At the same nanosecond the start counts first: rather one too many at once than one too few.
  return parsed.sort((a, b) => (a.at === b.at ? b.what.localeCompare(a.what) : a.at < b.at ? -1 : 1));
}

/** How many minifications ran at the same moment, at most. */
export function mostAtOnce(lines: readonly LogLine[]): number {
  let now = 0;
  let most = 0;
  for (const { what } of lines) {
    now += what === 'start' ? 1 : -1;
    most = Math.max(most, now);
  }
  return most;
}

/** A program with so many functions, to keep terser busy for about as many milliseconds. */
export function longProgram(functions: number): string {
  const one = (i: number): string =>
    `export function f${i}(a, b = ${i}) { const c = a * b, d = [a, b, c]; for (const e of d) { if (e > ${i}) return e - b; } return d; }`;
  return Array.from({ length: functions }, (_, i) => one(i)).join('\n');
}
