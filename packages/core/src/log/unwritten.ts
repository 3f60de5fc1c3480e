/** A log with lines that it has not written. */
interface Unwritten {
  readonly unwritten: number;
  lastWrite(): void;
}

/** Where another thread sees how many lines of this one are unwritten; nobody looks unless it is shared. */
let count: Int32Array | null = null;

/** From now on the number of lines that this thread has not handed to the system stands in shared memory. */
export function shareUnwritten(memory: SharedArrayBuffer): void {
  count = new Int32Array(memory);
}

export function countUnwritten(change: number): void {
  if (count !== null) Atomics.add(count, 0, change);
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
