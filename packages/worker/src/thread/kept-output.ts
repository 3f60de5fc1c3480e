import { PassThrough, type Readable } from 'node:stream';

/**
 * What a bus's threads print, for the user to read instead of this process's console: one stream over all restarts.
 *
 * Nothing waits for the reader: a handler's answer would wait with its lines. What nobody reads is kept in memory.
 */
export class KeptOutput {
  /** Null if it goes to this process's. */
  readonly stdout: PassThrough | null;
  readonly stderr: PassThrough | null;
  /** Streams of threads that have not ended. */
  #open = 0;
  #closed = false;

  constructor({ stdout, stderr }: { readonly stdout: boolean; readonly stderr: boolean }) {
    this.stdout = stdout ? new PassThrough() : null;
    this.stderr = stderr ? new PassThrough() : null;
  }

  /** A further thread has started. */
  take(thread: { readonly stdout: Readable | null; readonly stderr: Readable | null }): void {
    if (this.stdout !== null && thread.stdout !== null) this.#join(thread.stdout, this.stdout);
    if (this.stderr !== null && thread.stderr !== null) this.#join(thread.stderr, this.stderr);
  }

  /** No thread follows: the streams end with the last one's. */
  close(): void {
    this.#closed = true;
    this.#endIfOver();
  }

  #join(from: Readable, to: PassThrough): void {
    // Node has joined it to the console already. Told at the start that it needn't, it would keep the process alive.
    from.unpipe();
    this.#open += 1;
    from.on('data', (chunk: string | Buffer) => {
      if (!to.destroyed) to.write(chunk);
    });
    from.resume();
    from.once('close', () => {
      this.#open -= 1;
      this.#endIfOver();
    });
  }

  #endIfOver(): void {
    if (!this.#closed || this.#open > 0) return;
    this.stdout?.end();
    this.stderr?.end();
  }
}
