import { Writable } from 'node:stream';
import { startTimer } from '@threadbus/core/internal';

/** Seconds that an answer waits at most for what was printed before it: the process may have closed its own output. */
const patience = 5;

/** Nobody takes what this thread prints: its answers don't wait for that any more. */
let stalled = false;
/** Kept: asked for with each answer, to find them cost as much as to look at them. Null until the first one. */
let printed: { readonly stdout: NodeJS.WriteStream; readonly stderr: NodeJS.WriteStream } | null = null;

/**
 * What this thread has printed and its starter hasn't got yet: resolves once it has; null if there is nothing.
 *
 * A thread's console goes over the starting thread, piece by piece, each of which is asked for. So a message that is
 * sent after a line can come before it, and if the process ends or the thread is terminated then, the line is lost.
 */
export function drainOutput(): Promise<void> | null {
  printed ??= { stdout: process.stdout, stderr: process.stderr };
  const { stdout, stderr } = printed;
  if (stdout.writableLength === 0 && stderr.writableLength === 0) {
    stalled = false;
    return null;
  }
  return stalled ? null : drained([stdout, stderr]);
}

async function drained(streams: readonly NodeJS.WriteStream[]): Promise<void> {
  await new Promise<void>((resolve) => {
    const giveUp = (): void => {
      stalled = true;
      resolve();
    };
    const timer = startTimer(patience, giveUp, false);
    void Promise.all(streams.map(flushed)).then(() => {
      timer.cancel();
      resolve();
    });
  });
}

/** The user may have put something of his own in place of `write`, and may have ended the stream: then nothing follows. */
async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed || !(stream instanceof Writable)) return;
  await new Promise<void>((resolve) => {
    if (stream.writableEnded) stream.once('finish', resolve).once('close', resolve);
    else Writable.prototype.write.call(stream, '', 'utf8', () => resolve());
  });
}
