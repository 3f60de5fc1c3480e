import { appendFileSync } from 'node:fs';
import { threadId } from 'node:worker_threads';

/**
 * Notes in a file when a minification starts and when it ends, each as `start|end <ns> <process>/<thread> <path>`.
 *
 * The time is the machine's monotonic clock, the same for all its processes, so the lines of several runs together show
 * how many ran at once. One append is one line: lines of several writers don't mix.
 */
export class MinificationLog {
  readonly #file: string | null;

  /** @param file null = note nothing */
  constructor(file: string | null) {
    this.#file = file;
  }

  async note<Result>(path: string, minification: () => Promise<Result>): Promise<Result> {
    this.#append('start', path);
    try {
      return await minification();
    } finally {
      this.#append('end', path);
    }
  }

  #append(what: 'start' | 'end', path: string): void {
    if (this.#file === null) return;
    appendFileSync(this.#file, `${what} ${process.hrtime.bigint()} ${process.pid}/${threadId} ${path}\n`);
  }
}
