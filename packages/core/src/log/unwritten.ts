/** A log with lines that it has not written. */
interface Unwritten {
  readonly unwritten: number;
  lastWrite(): void;
}

/** Keeps where it can be seen from outside how many lines of this thread are unwritten; null if nobody looks. */
let tell: ((lines: number) => void) | null = null;
let lines = 0;

/** From now on it is told, at each change, how many lines this thread has not handed to the system. */
export function observeUnwritten(observer: (lines: number) => void): void {
  tell = observer;
}

export function countUnwritten(change: number): void {
  if (tell === null) return;
  lines += change;
  tell(lines);
}

const logs = new Set<Unwritten>();
let watching = false;

/**
 * Keeps an eye on a log until all its lines are written: they are, when the process or the thread ends by itself, by
 * `process.exit` or by an error that nobody has caught.
 */
export function watchLog(log: Unwritten): void {
  logs.add(log);
  if (watching) return;
  watching = true;
  process.on('exit', writeAll);
}

export function forgetLog(log: Unwritten): void {
  logs.delete(log);
}

function writeAll(): void {
  for (const log of logs) {
    try {
      log.lastWrite();
    } catch {
      // It was told when it was tried before, and there is nobody left to tell.
    }
  }
}
