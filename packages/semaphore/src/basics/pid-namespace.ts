import { execFileSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readFileSync, readlinkSync, readSync } from 'node:fs';

// What can be known of a process depends on where this one stands. `/proc` may be mounted for another pid namespace
// (`unshare --pid`, sandboxes): then `/proc/4711` is some process, but not our 4711. It is believed only if what it says
// of this very process is right; the same goes for `ps`, which reads it.

/** Whether the numbers in `/proc` are the pids of this process's own namespace. */
export function isProcOurs(): boolean {
  try {
    if (readlinkSync('/proc/self') !== String(process.pid)) return false;
    // The number alone may agree by chance. Seen from its own namespace a process has one pid, from outside several.
    const pids = /^NSpid:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1];
    return pids === undefined || pids.trim() === String(process.pid);
  } catch {
    return false;
  }
}

/**
 * The namespaces that pids and start times count in; empty if they can't be known. A pid proves something only about
 * a process with the same ones.
 */
export function pidNamespace(): string {
  // Also where `/proc` is another namespace's: `/proc/self` is whoever asks, or does not exist.
  const pids = inode('/proc/self/ns/pid');
  if (pids === '') return '';
  const time = inode('/proc/self/ns/time');
  // Start times in /proc are shifted in a time namespace of one's own.
  return time === '' || time === INITIAL_TIME_NAMESPACE ? pids : `${pids}-${time}`;
}

const INITIAL_TIME_NAMESPACE = String(0xef_ff_ff_fa);

function inode(path: string): string {
  try {
    const fd = openSync(path, 'r');
    try {
      return String(fstatSync(fd).ino);
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}

/** First digits of the kernel's boot id; empty if it can't be read. */
export const bootId = (): string =>
  firstBytes('/proc/sys/kernel/random/boot_id')
    .replaceAll(/[^0-9a-f]/g, '')
    .slice(0, 12);

/** When this process started, in clock ticks since boot, the same for all its threads; empty if it can't be known. */
export function ownStart(): string {
  const text = firstBytes('/proc/self/stat');
  // Its second field, the name, may hold anything.
  return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

/** Of a file of the kernel's; empty if it can't be read. */
function firstBytes(path: string): string {
  try {
    const fd = openSync(path, 'r');
    try {
      const text = Buffer.alloc(1024);
      return text.toString('latin1', 0, readSync(fd, text));
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}

/** Two processes of unknown namespaces may have the same pid; only where there are none it tells them apart. */
export const hasPidNamespaces = (): boolean => process.platform === 'linux' || process.platform === 'android';

let isPsOurs: boolean | undefined;

/** When a process started, in seconds since 1970; 0 if the platform does not tell. Costs a few milliseconds. */
export function processStart(pid: number): number {
  if (process.platform === 'win32') return 0;
  if (hasPidNamespaces()) {
    isPsOurs ??= knowsThisProcess(ps(process.pid));
    if (!isPsOurs) return 0;
  }
  return ps(pid).start;
}

function knowsThisProcess({ parent, start }: { parent: number; start: number }): boolean {
  return parent === process.ppid && Math.abs(start - (Date.now() / 1000 - process.uptime())) < 5;
}

function ps(pid: number): { parent: number; start: number } {
  try {
    const text = execFileSync('ps', ['-o', 'ppid=,lstart=', '-p', String(pid)], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [, parent, started = ''] = /^\s*(\d+)\s+(.*)/.exec(text) ?? [];
    return { parent: Number(parent), start: Math.round(Date.parse(started.trim()) / 1000) || 0 };
  } catch {
    return { parent: 0, start: 0 };
  }
}
