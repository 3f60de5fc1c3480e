import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, fstatSync, openSync, readFileSync, readlinkSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';

/**
 * What tells one thread from every other that ever ran on this machine; a pid alone does not, as it is used again.
 *
 * With `/proc` a thread is its kernel id plus its start time. Without, a process is known by its start time, and a thread
 * to others of its process by a file that it keeps open: Node closes a worker's descriptors when it ends, however.
 */
export interface ThreadIdentity {
  /** First digits of the kernel's boot id; empty without `/proc`. */
  readonly boot: string;
  /** The pid namespace; the same pid means another process in another one. Empty without `/proc`. */
  readonly namespace: string;
  readonly pid: number;
  /** The kernel's thread id; without `/proc`, when the file behind `fd` was made, in µs since 1970. */
  readonly tid: number;
  /** Start of the thread in clock ticks since boot; without `/proc`, of the process in seconds since 1970, 0 = unknown. */
  readonly start: number;
  /** Node's thread id, 0 for the main thread. */
  readonly threadId: number;
  /** The descriptor that this thread keeps open; -1 with `/proc`. */
  readonly fd: number;
}

let self: ThreadIdentity | undefined;

/** This thread. Found out on the first call, not when the module is loaded: a startup snapshot must not freeze it. */
export function selfIdentity(): ThreadIdentity {
  self ??= identify();
  return self;
}

export function hasProc(): boolean {
  return selfIdentity().boot !== '';
}

export function formatIdentity(identity: ThreadIdentity): string {
  const { boot, namespace, pid, tid, start, threadId: thread, fd } = identity;
  return [boot, namespace, pid, tid, start, thread, fd].join('_');
}

const PATTERN = /^([0-9a-f]*)_([0-9]*)_([0-9]+)_([0-9]+)_([0-9]+)_([0-9]+)_(-?[0-9]+)$/;

/** @returns `undefined` for a text that no version of this package wrote */
export function parseIdentity(text: string): ThreadIdentity | undefined {
  const parts = PATTERN.exec(text);
  if (parts === null) return undefined;
  const [pid, tid, start, thread, fd] = parts.slice(3).map(Number) as [number, number, number, number, number];
  return { boot: parts[1] ?? '', namespace: parts[2] ?? '', pid, tid, start, threadId: thread, fd };
}

/** State letter and start time of a thread, from its `stat` file. Its second field, the name, may hold anything. */
export function readThreadStat(pid: number | 'self', tid: number): { state: string; start: number } {
  const text = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '?', start: Number(fields[19]) };
}

/** When a process started, in seconds since 1970; 0 if the platform does not tell. Costs a few milliseconds. */
export function processStart(pid: number): number {
  if (process.platform === 'win32') return 0;
  try {
    const text = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return Math.round(Date.parse(text.trim()) / 1000) || 0;
  } catch {
    return 0;
  }
}

function identify(): ThreadIdentity {
  const { pid } = process;
  if (existsSync('/proc/thread-self/stat')) {
    // Only the synchronous call is carried out by this very thread.
    const tid = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').replaceAll('-', '').slice(0, 12);
    const namespace = readlinkSync('/proc/self/ns/pid').replaceAll(/\D/g, '');
    return { boot, namespace, pid, tid, start: readThreadStat('self', tid).start, threadId, fd: -1 };
  }
  const file = join(tmpdir(), `threadbus-thread-${randomUUID()}`);
  const fd = openSync(file, 'wx', 0o600);
  unlinkSync(file);
  return { boot: '', namespace: '', pid, tid: openFileStamp(fd), start: processStart(pid), threadId, fd };
}

/** Tells the file behind a descriptor from every other that may be opened under the same number later. */
export function openFileStamp(fd: number): number {
  return Math.round(fstatSync(fd).ctimeMs * 1000);
}
