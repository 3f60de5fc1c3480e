import { constants } from 'node:os';

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** One Ctrl-C arrives twice under npm, which passes on what the terminal has sent to the whole group already. */
const SAME_PRESS_MS = 500;

/** The run was asked to stop, by Ctrl-C or from outside. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
  /** As shells tell it: 128 and the signal's number, 130 for Ctrl-C. */
  readonly exitCode: number;

  constructor(signal: (typeof STOP_SIGNALS)[number]) {
    super(`stopped by ${signal}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** Aborts with an InterruptedError at the first Ctrl-C; the second one kills the process. */
export function onInterruption(): AbortSignal {
  const interruption = new AbortController();
  let firstAt = 0;
  for (const signal of STOP_SIGNALS) {
    const listener = (): void => {
      if (!interruption.signal.aborted) {
        firstAt = performance.now();
        interruption.abort(new InterruptedError(signal));
      } else if (performance.now() - firstAt > SAME_PRESS_MS) {
        // Without a listener the signal does what it does by default.
        process.off(signal, listener);
        process.kill(process.pid, signal);
      }
    };
    process.on(signal, listener);
  }
  return interruption.signal;
}
