import type { Readable } from 'node:stream';
import type { Worker } from 'node:worker_threads';
import type { Transport } from '@threadbus/link';

/**
 * Passes on what a thread has printed and has come here, but waits for its turn: this side's own output was busy.
 *
 * Without it, lines that this side prints next would come before those of the thread, or be the last if it exits.
 */
export function flushOutput({ stdout, stderr }: Pick<Worker, 'stdout' | 'stderr'>): void {
  if (stdout.readableLength > 0) readAll(stdout);
  if (stderr.readableLength > 0) readAll(stderr);
}

/** Whoever listens gets what is read here: Node's own pipe to the console, or the user. */
function readAll(stream: Readable): void {
  while (stream.readableLength > 0 && stream.read() !== null);
}

/** A thread's transport whose frames come after what the thread had printed before it sent them. */
export function behindOutput(transport: Transport, worker: Worker): Transport {
  const { stdout, stderr } = worker;
  const output = { stdout, stderr };
  return {
    ...transport,
    open: (receive, lost, unread) => {
      const receiveBehind = (frame: unknown): void => {
        flushOutput(output);
        receive(frame);
      };
      transport.open(receiveBehind, lost, unread);
    },
  };
}
