import { randomUUID } from 'node:crypto';
import { fstatSync, openSync, readFileSync, readlinkSync, unlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { threadId } from 'node:worker_threads';
import { bootId, isProcOurs, pidNamespace, processStart } from './pid-namespace.ts';

/**
 * What tells one thread from every other that ever ran on this machine; a pid alone does not, as it is used again.
 *
 * With a `/proc` of its own namespace a thread is its kernel id plus its start time. Without, a process is known by its
 * start time, and a thread to others of its process by a file that it keeps open: Node closes a worker's descriptors
 * when it ends.
 */
export interface ThreadIdentity {
  /** First digits of the kernel's boot id; empty if it can't be read. */
  readonly boot: string;
  /** The pid namespace; the same pid means another process in another one. Empty if it can't be known. */
  readonly namespace: string;
  readonly pid: number;
  /** The kernel's thread id; without `/proc`, when the file behind `fd` was made, in µs since 1970. */
  readonly tid: number;
  /** Start of the thread in clock ticks since boot; without `/proc`, of the process in seconds since 1970, 0 = unknown. */
  readonly start: number;
  /** Node's thread id, 0 for the main thread. */
  readonly threadId: number;
  /** The descriptor that this thread keeps open; {@link BY_PROC} with `/proc`, {@link BY_NOTHING} if no file could be made. */
  readonly fd: number;
}

export const BY_PROC = -1;
const BY_NOTHING = -2;

let self: ThreadIdentity | undefined;

/** This thread. Found out on the first call, not when the module is loaded: a startup snapshot must not freeze it. */
export function selfIdentity(): ThreadIdentity {
  self ??= identify();
  return self;
}

export function formatIdentity(identity: ThreadIdentity): string {
  const { boot, namespace, pid, tid, start, threadId: thread, fd } = identity;
  return [boot, namespace, pid, tid, start, thread, fd].join('_');
}

/** The texts that {@link formatIdentity} makes, as the source of a regular expression. */
export const identityPattern = '[0-9a-f]*_[0-9-]*_[0-9]+_[0-9]+_[0-9]+_[0-9]+_-?[0-9]+';

/** @param text as matched by {@link identityPattern} */
export function parseIdentity(text: string): ThreadIdentity {
  const [boot = '', namespace = '', ...numbers] = text.split('_');
  const [pid, tid, start, thread, fd] = numbers.map(Number) as [number, number, number, number, number];
  return { boot, namespace, pid, tid, start, threadId: thread, fd };
}

/** State letter and start time of a thread, from its `stat` file. Its second field, the name, may hold anything. */
export function readThreadStat(pid: number | 'self', tid: number): { state: string; start: number } {
  const text = readFileSync(`/proc/${pid}/task/${tid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '?', start: Number(fields[19]) };
}

function identify(): ThreadIdentity {
  const { pid } = process;
  const place = { boot: bootId(), namespace: pidNamespace(), pid, threadId };
  if (isProcOurs()) {
    try {
      // Only the synchronous call is carried out by this very thread.
      const tid = Number(readlinkSync('/proc/thread-self').split('/').at(-1));
      return { ...place, tid, start: readThreadStat('self', tid).start, fd: BY_PROC };
    } catch {
      // An old kernel, or a policy that forbids it.
    }
  }
  const start = processStart(pid);
  try {
    const file = join(tmpdir(), `threadbus-thread-${randomUUID()}`);
    const fd = openSync(file, 'wx', 0o600);
    unlinkSync(file);
    return { ...place, tid: openFileStamp(fd), start, fd };
  } catch {
    // Nothing may be read and nothing written: what only this thread uses needs no identity.
    return { ...place, tid: 0, start, fd: BY_NOTHING };
  }
}

/** Tells the file behind a descriptor from every other that may be opened under the same number later. */
export function openFileStamp(fd: number): number {
  return Math.round(fstatSync(fd).ctimeMs * 1000);
}
