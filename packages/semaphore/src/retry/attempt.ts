import { setMaxListeners } from 'node:events';
import { onAbort } from '../basics/abort.ts';
import { AttemptTimeoutError } from '../basics/errors.ts';
import { HeldLease } from '../basics/held-lease.ts';
import { startTimer } from '../basics/seconds.ts';
import type { Lease } from '../basics/slot-pool.ts';
import type { CallStop } from './call-stop.ts';
import type { RetryContext } from './held-slots.ts';

/** One attempt of a call. */
export interface AttemptOptions {
  /** The wrapped function's name. */
  readonly name: string;
  readonly attempt: number;
  readonly lease: Lease | null;
  /** In seconds. */
  readonly timeout: number | null;
  readonly totalTimeout: number | null;
  readonly stop: CallStop | undefined;
  /** What the attempt before it failed with. */
  readonly before: { readonly error: unknown } | undefined;
}

/** What a function sees of its own attempt. The signal is made when it is asked for. */
class AttemptContext implements RetryContext {
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
      if (this.#ended !== undefined) this.#controller.abort(this.#ended.reason);
    }
    return this.#controller.signal;
  }

  abort(reason: unknown): void {
    this.#ended ??= { reason };
    this.#controller?.abort(reason);
  }
}

/**
 * Runs one attempt: until it settles, its time is up, or the call is to end.
 *
 * @param run gets what `retryContext()` is to give inside
 */
export function runAttempt(
  options: AttemptOptions,
  run: (context: RetryContext) => Promise<unknown>,
): Promise<unknown> {
  const { name, attempt, lease, timeout, totalTimeout, stop, before } = options;
  return new Promise((resolve, reject) => {
    stop?.signal.throwIfAborted();
    const context = new AttemptContext(attempt, lease);
    const end = (error: Error): void => {
      settled();
      // Before the function's own listeners run: what they throw about it comes too late.
      reject(error);
      context.abort(error);
    };
    const timer =
      timeout === null ? undefined : startTimer(timeout, () => end(new AttemptTimeoutError(name, attempt, timeout)));
    const offStop = stop?.onStop(() => {
      const isTimeUp = stop.isTimeUp && totalTimeout !== null;
      end(
        isTimeUp
          ? new AttemptTimeoutError(name, attempt, totalTimeout, before?.error, 'totalTimeout')
          : (stop.signal.reason as Error),
      );
    });
    // The function is told, and decides; the next attempt takes another slot.
    const offLost = isLosable(lease) ? onLost(lease, (reason) => context.abort(reason)) : undefined;
    // The timer keeps the caller's async context, so nothing that the function may keep must lead to it.
    const settled = (): void => {
      timer?.stop();
      offStop?.();
      offLost?.();
    };
    // A late result or error of an attempt that timed out falls to a promise that is settled, and is dropped.
    void run(context).then(resolve, reject).finally(settled);
  });
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
