import { statSync } from 'node:fs';
import { hasPidNamespaces, processStart } from './pid-namespace.ts';
import { BY_PROC, openFileStamp, readThreadStat, selfIdentity, type ThreadIdentity } from './thread-identity.ts';

/**
 * `dead` is proof: an ended thread never comes back under the same identity. `alive` is what the kernel says now.
 * `unknown` is a thread that can't be seen from here: another machine, container or user.
 */
export type Liveness = 'alive' | 'dead' | 'unknown';

/** Whether a thread still runs; a stopped or blocked one does. Never waits, costs some 10 µs. */
export function liveness(identity: ThreadIdentity): Liveness {
  const self = selfIdentity();
  if (isSame(identity, self)) return 'alive';
  // A pid of another namespace says nothing here, and neither does one of a namespace that nobody knows.
  if (identity.boot !== self.boot || identity.namespace !== self.namespace) return 'unknown';
  if (self.namespace === '' && hasPidNamespaces()) return 'unknown';
  if (identity.fd === BY_PROC && self.fd === BY_PROC) return livenessInProc(identity);
  return identity.pid === self.pid ? livenessInProcess(identity) : livenessByPid(identity);
}

/** The same for a thread that is known to be of this process. */
export function livenessInProcess(identity: ThreadIdentity): Liveness {
  const self = selfIdentity();
  if (isSame(identity, self)) return 'alive';
  if (identity.fd === BY_PROC && self.fd === BY_PROC) return livenessInProc(identity);
  if (identity.fd > BY_PROC) return openness(identity);
  return identity.threadId === 0 ? 'alive' : 'unknown';
}

function isSame(a: ThreadIdentity, b: ThreadIdentity): boolean {
  return (
    a.pid === b.pid &&
    a.threadId === b.threadId &&
    a.boot === b.boot &&
    a.namespace === b.namespace &&
    a.tid === b.tid &&
    a.start === b.start &&
    a.fd === b.fd
  );
}

function livenessInProc({ pid, tid, start }: ThreadIdentity): Liveness {
  try {
    const stat = readThreadStat(pid, tid);
    // Z and X: ended, but its parent has not fetched the exit code yet.
    return stat.start === start && stat.state !== 'Z' && stat.state !== 'X' ? 'alive' : 'dead';
  } catch {
    const signalled = signal(pid);
    if (signalled !== 'alive') return signalled;
    // The process is there and its thread is not. Where /proc hides a process (hidepid), its main thread is hidden too.
    return tid !== pid && isVisible(pid) ? 'dead' : 'unknown';
  }
}

function isVisible(pid: number): boolean {
  try {
    statSync(`/proc/${pid}/stat`);
    return true;
  } catch {
    return false;
  }
}

function signal(pid: number): Liveness {
  try {
    process.kill(pid, 0);
    return 'alive';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH' ? 'dead' : 'unknown';
  }
}

// A process keeps its start time, so one answer is enough for a while; `ps` is slow.
const PS_CACHE_MS = 1000;
const starts = new Map<number, { start: number; until: number }>();

/** Another process, of which nothing but its pid can be asked for, and perhaps when it started. */
function livenessByPid({ pid, start, fd }: ThreadIdentity): Liveness {
  const signalled = signal(pid);
  // Its start is in clock ticks where it sees /proc, which we don't.
  if (signalled !== 'alive' || fd === BY_PROC || start === 0) return signalled;
  const now = performance.now();
  let known = starts.get(pid);
  if (known === undefined || known.until < now) {
    if (starts.size > 1000) starts.clear();
    known = { start: processStart(pid), until: now + PS_CACHE_MS };
    starts.set(pid, known);
  }
  // `ps` works the time out from two clocks, and may be a second off.
  return known.start === 0 || Math.abs(known.start - start) <= 2 ? 'alive' : 'dead';
}

function openness({ fd, tid }: ThreadIdentity): Liveness {
  try {
    return openFileStamp(fd) === tid ? 'alive' : 'dead';
  } catch {
    return 'dead';
  }
}
