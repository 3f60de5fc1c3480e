import { readdirSync, readFileSync } from 'node:fs';

const tasks = '/proc/self/task';

/** Seconds for which each thread of this process has been ready to run and had no core, by its number in the system. */
function waits(): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  try {
    for (const task of readdirSync(tasks)) {
      const [, waited] = readFileSync(`${tasks}/${task}/schedstat`, 'utf8').split(' ');
      found.set(task, Number(waited) / 1e9);
    }
  } catch {
    // Only Linux tells. Or one of them has ended meanwhile: the others count.
  }
  return found;
}

/**
 * How long threads of this process wait for a core from now on: what they are given time for, they can't do meanwhile.
 *
 * @returns tells the seconds of the one that has waited most; 0 where the machine has cores enough, or doesn't tell
 */
export function countCoreWaits(): () => number {
  const before = waits();
  return () => {
    let most = 0;
    for (const [task, waited] of waits()) most = Math.max(most, waited - (before.get(task) ?? waited));
    return most;
  };
}
