import type { Counted } from '../run/counted.ts';
import { isHandlerTimeoutError } from '../basics/errors.ts';

/** Numbers of a bus, counted in events. */
export interface BusStats {
  /** Have not started. */
  readonly queued: number;
  /** Have a handler that runs or is suspended on the bus itself; `running` in a pool's own `stats()` are those of the pool. */
  readonly inProgress: number;
  /** Have a handler that waits for a thread of a pool. */
  readonly waitingForThreads: number;
  /** Are complete, and no handler here has failed; since the bus was made. */
  readonly completed: number;
  /** Are complete, and a handler here ended with an error, a timeout included. */
  readonly failed: number;
  /** Of those: had a handler here whose time was up. */
  readonly timedOut: number;
}

/** Counts the ends of a bus's events. */
export class BusMeter {
  completed = 0;
  failed = 0;
  timedOut = 0;
  waitingForThreads = 0;

  /** A handler of the event has ended with an error of its own. */
  static note(counted: Counted, error: unknown): void {
    if (isHandlerTimeoutError(error)) counted.failure = 'timed out';
    else if (counted.failure === 'none') counted.failure = 'failed';
  }

  end({ failure }: Counted): void {
    if (failure === 'none') this.completed += 1;
    else this.failed += 1;
    if (failure === 'timed out') this.timedOut += 1;
  }
}
