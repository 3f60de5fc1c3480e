import * as fs from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { startTimer } from '../basics/timer.ts';

/** Seconds between looks at another process's compaction, and after how many of them it is no use to wait. */
const pause = 0.05;
const longestWait = 60;

/** Within this thread they wait for each other by promises. */
const inTurn = new Map<string, Promise<unknown>>();

/** Runs one compaction of a log at a time, over all threads and processes; that of a process that is dead counts no more. */
export async function alone<T>(lock: string, work: () => Promise<T>): Promise<T> {
  const before = inTurn.get(lock);
  const turn = (async () => {
    await before?.catch(() => undefined);
    await take(lock);
    try {
      sweep(lock);
      return await work();
    } finally {
      fs.rmSync(lock, { force: true });
    }
  })();
  inTurn.set(lock, turn);
  try {
    return await turn;
  } finally {
    if (inTurn.get(lock) === turn) inTurn.delete(lock);
  }
}

async function take(lock: string): Promise<void> {
  const own = `${process.pid} ${startOf(process.pid)}`;
  for (let waited = 0; ; waited += pause) {
    try {
      // With its content at once: under its name nobody is to find it empty.
      const mine = `${lock}-${process.pid}-${Math.random().toString(36).slice(2)}`;
      fs.writeFileSync(mine, own, { flag: 'wx', mode: 0o600 });
      try {
        fs.linkSync(mine, lock);
        return;
      } finally {
        fs.rmSync(mine, { force: true });
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const owner = ownerOf(lock);
    if (owner !== null && isDead(owner)) steal(lock, owner);
    else if (waited >= longestWait) {
      throw new Error(
        `Another compaction holds ${lock} (process ${owner ?? 'unknown'}). Wait for its end; if there is none, remove that file.`,
      );
    } else await new Promise<void>((resolve) => void startTimer(pause, resolve, true));
  }
}

/** What processes that were killed while they took the lock have left: by its form ours, and by its number nobody's. */
function sweep(lock: string): void {
  const folder = dirname(lock);
  const prefix = `${basename(lock)}-`;
  for (const name of fs.readdirSync(folder)) {
    const pid = name.startsWith(prefix) ? /^(\d+)-\w+$/.exec(name.slice(prefix.length))?.[1] : undefined;
    if (pid === undefined) continue;
    const left = join(folder, name);
    if (isDead(ownerOf(left) || pid)) fs.rmSync(left, { force: true });
  }
}

function ownerOf(lock: string): string | null {
  try {
    return fs.readFileSync(lock, 'utf8');
  } catch {
    return null;
  }
}

/** Of two that find the same dead owner, one may have taken its place already: that one gets it back. */
function steal(lock: string, owner: string): void {
  const aside = `${lock}-${process.pid}-dead`;
  try {
    fs.renameSync(lock, aside);
    if (ownerOf(aside) !== owner) fs.linkSync(aside, lock);
  } catch {
    // Somebody else was first.
  } finally {
    fs.rmSync(aside, { force: true });
  }
}

function isDead(owner: string): boolean {
  const [pid = '', start = ''] = owner.split(' ');
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
  // Another process may have the number by now.
  const now = startOf(Number(pid));
  return start !== '' && now !== '' && now !== start;
}

/** When a process was started, as far as the system tells. */
function startOf(pid: number): string {
  try {
    const text = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
