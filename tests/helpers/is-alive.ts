import { readFileSync } from 'node:fs';

const linux = process.platform === 'linux';

/** Whether there is such a process; one that has ended and waits for its parent to notice is none. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !linux || !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
