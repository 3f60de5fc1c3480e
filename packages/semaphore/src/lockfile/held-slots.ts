import { AsyncLocalStorage } from 'node:async_hooks';
import { RetryContextError } from '../basics/errors.ts';
import type { Lease, SlotPool } from '../basics/slot-pool.ts';

/** What a wrapped function can learn about its own call. */
export interface RetryContext {
  /** Aborts when the attempt's time is up, or when the caller's own signal does. */
  readonly signal: AbortSignal;
  /** Which attempt this is, from 1. */
  readonly attempt: number;
  /** The slot it runs in; `null` without a limit, and for a lax call that got none in time. */
  readonly lease: Lease | null;
}

/** A slot that an async chain holds. It is given back when the last call that runs in it has ended. */
export class HeldSlot {
  readonly pool: SlotPool;
  readonly lease: Lease;
  #users = 1;

  constructor(pool: SlotPool, lease: Lease) {
    this.pool = pool;
    this.lease = lease;
  }

  get isHeld(): boolean {
    return this.#users > 0;
  }

  join(): void {
    this.#users++;
  }

  async leave(): Promise<void> {
    this.#users--;
    if (this.#users === 0) await this.lease.release();
  }
}

interface Frame {
  readonly context: RetryContext;
  readonly held: readonly HeldSlot[];
}

const frames = new AsyncLocalStorage<Frame>();

/** The slot of this pool that the running async chain holds, if any. */
export function slotOfChain(pool: SlotPool): HeldSlot | undefined {
  return frames.getStore()?.held.find((slot) => slot.pool === pool && slot.isHeld);
}

/** Runs a function inside a slot; only slots that are still held go on to it, so that chains don't grow. */
export function runInside<Result>(context: RetryContext, slot: HeldSlot | undefined, run: () => Result): Result {
  const held = (frames.getStore()?.held ?? []).filter((other) => other.isHeld && other !== slot);
  return frames.run({ context, held: slot === undefined ? held : [...held, slot] }, run);
}

/**
 * The running call of the nearest wrapped function around: its signal, the number of the attempt, its slot.
 *
 * Found by the async context, so it works in nested functions, and after every `await`.
 *
 * @throws {RetryContextError} outside a function wrapped in `retry`
 * @example
 * ```ts
 * const fetchPage = retry({ timeout: 5 })(async (url: string) => {
 *   const response = await fetch(url, { signal: retryContext().signal });
 *   return response.text();
 * });
 * ```
 */
export function retryContext(): RetryContext {
  const frame = frames.getStore();
  if (frame === undefined) throw new RetryContextError();
  return frame.context;
}
