import { setMaxListeners } from 'node:events';
import { onAbort } from '../basics/abort.ts';
import type { Deadlines } from '../basics/deadlines.ts';
import { AttemptTimeoutError } from '../basics/errors.ts';
import { HeldLease } from '../basics/held-lease.ts';
import type { Lease } from '../basics/slot-pool.ts';
import type { CallStop } from './call-stop.ts';
import type { RetryContext } from './held-slots.ts';

/** What may end an attempt from outside. */
export interface AttemptEnds {
  /** The wrapped function's name. */
  readonly name: string;
  readonly deadlines: Deadlines | undefined;
  readonly totalTimeout: number | null;
  readonly stop: CallStop | undefined;
  /** What the attempt before it failed with. */
  readonly before: { readonly error: unknown } | undefined;
}

/** One attempt, as its function sees it. The signal is made when it is asked for. */
export class Attempt implements RetryContext {
  readonly attempt: number;
  readonly lease: Lease | null;
  #controller: AbortController | undefined;
  #ended: { readonly reason: unknown } | undefined;

  constructor(attempt: number, lease: Lease | null) {
    this.attempt = attempt;
    this.lease = lease;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      setMaxListeners(0, this.#controller.signal);
      this.tell();
    }
    return this.#controller.signal;
  }

  /** The signal is aborted, for whoever asks for it; those who listen hear of it by `tell`. */
  end(reason: unknown): void {
    this.#ended ??= { reason };
  }

  tell(): void {
    if (this.#ended !== undefined) this.#controller?.abort(this.#ended.reason);
  }
}

/**
 * Runs an attempt: until it settles, its time is up, or the call is to end.
 *
 * If its time is up, its signal's listeners are told by the caller, who has the call's async context; the timer, which
 * is shared, has none. Either way they run after the promise has been rejected: what they throw about it comes too late.
 *
 * @param run gives a promise, or what is no thenable
 */
export function runAttempt(attempt: Attempt, ends: AttemptEnds, run: () => unknown): unknown {
  const { deadlines, stop } = ends;
  const lease = isLosable(attempt.lease) ? attempt.lease : undefined;
  // Nothing can end it.
  if (deadlines === undefined && stop === undefined && lease === undefined) return run();
  return new Promise((resolve, reject) => {
    stop?.signal.throwIfAborted();
    const end = (error: Error): void => {
      settled();
      attempt.end(error);
      reject(error);
    };
    const deadline = deadlines?.start(() =>
      end(new AttemptTimeoutError(ends.name, attempt.attempt, deadlines.seconds)),
    );
    const offStop = stop?.onStop(() => {
      end(stopError(stop, attempt, ends));
      attempt.tell();
    });
    // The function is told, and decides; the next attempt takes another slot.
    const offLost = lease && onLost(lease, (reason) => slotLost(attempt, reason));
    // The timer must not lead to what the function may keep, nor keep the caller's async context.
    const settled = (): void => {
      deadline?.stop();
      offStop?.();
      offLost?.();
    };
    // A late result or error of an attempt that timed out falls to a promise that is settled, and is dropped.
    const returned = (value: unknown): void => {
      settled();
      resolve(value);
    };
    const threw = (error: Error): void => {
      settled();
      reject(error);
    };
    try {
      const value = run();
      if (value instanceof Promise) value.then(returned, threw);
      else returned(value);
    } catch (error) {
      threw(error as Error);
    }
  });
}

function stopError(stop: CallStop, { attempt }: Attempt, { name, totalTimeout, before }: AttemptEnds): Error {
  if (!stop.isTimeUp || totalTimeout === null) return stop.signal.reason as Error;
  return new AttemptTimeoutError(name, attempt, totalTimeout, before?.error, 'totalTimeout');
}

function slotLost(attempt: Attempt, reason: unknown): void {
  attempt.end(reason);
  attempt.tell();
}

function isLosable(lease: Lease | null): lease is Lease {
  return lease !== null && !(lease instanceof HeldLease && !lease.isLosable);
}

function onLost({ signal }: Lease, lost: (reason: unknown) => void): (() => void) | undefined {
  if (!signal.aborted) return onAbort(signal, () => lost(signal.reason));
  lost(signal.reason);
  return undefined;
}

/** Whether the slot is not the call's any more. */
export function isLost(lease: Lease | null | undefined): boolean {
  return lease !== undefined && isLosable(lease ?? null) && lease?.signal.aborted === true;
}
