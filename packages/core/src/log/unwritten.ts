/** A log with lines that it has not written. */
interface Unwritten {
  readonly unwritten: number;
  lastWrite(): void;
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
