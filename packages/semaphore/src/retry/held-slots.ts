import { AsyncLocalStorage } from 'node:async_hooks';
import { RetryContextError } from '../basics/errors.ts';
import type { Lease, SlotPool } from '../basics/slot-pool.ts';

/** What a wrapped function can learn about its own call. */
export interface RetryContext {
  /** Aborts when the attempt's time is up, when the caller's own signal does, or when the slot is lost. */
  readonly signal: AbortSignal;
  /** Which attempt this is, from 1. */
  readonly attempt: number;
  /** The slot it runs in; `null` without a limit, and for a lax call that got none in time. */
  readonly lease: Lease | null;
}

/** Gets the slot, as a loan. */
type Borrower = (loan: HeldSlot) => void;

/**
 * A slot that a call holds, and lends to calls that it waits for.
 *
 *            held ──────── lent: one call that the holder waits for runs in it; further ones stand in line
 *              │ ends        │ ends, the loan comes back: to the next in line, or held again
 *              │             │ the holder ends (it did not wait after all): the slot is the borrower's until that ends
 *              ▼             ▼
 *            given back    given back when the loan comes back
 *
 * A loan is such a slot itself, and can be lent on. So in one slot one call runs, or waits for the one that does.
 */
export class HeldSlot {
  readonly pool: SlotPool;
  readonly lease: Lease;
  readonly #giveBack: () => void | Promise<void>;
  readonly #borrowers = new Set<Borrower>();
  #isLent = false;
  #isLeft = false;

  /** @param pool the slots that it is of, whichever way they were asked for */
  constructor(pool: SlotPool, lease: Lease, giveBack: () => void | Promise<void>) {
    this.pool = pool;
    this.lease = lease;
    this.#giveBack = giveBack;
  }

  /** Its call has not ended. */
  get isHeld(): boolean {
    return !this.#isLeft;
  }

  /**
   * Stands in line for it; the caller is waited for by the holder.
   *
   * @param granted called at once, or later, or never: not after the holder has ended
   * @returns leaves the line
   */
  borrow(granted: Borrower): () => void {
    this.#borrowers.add(granted);
    this.#lend();
    return () => this.#borrowers.delete(granted);
  }

  /** Its call has ended. */
  async leave(): Promise<void> {
    if (this.#isLeft) return;
    this.#isLeft = true;
    this.#borrowers.clear();
    if (!this.#isLent) await this.#giveBack();
  }

  #lend(): void {
    const [next] = this.#borrowers;
    if (next === undefined || this.#isLent || this.#isLeft) return;
    this.#borrowers.delete(next);
    this.#isLent = true;
    next(new HeldSlot(this.pool, this.lease, () => this.#returned()));
  }

  #returned(): void | Promise<void> {
    this.#isLent = false;
    if (this.#isLeft) return this.#giveBack();
    return this.#lend();
  }
}

interface Frame {
  readonly context: RetryContext;
  readonly held: readonly HeldSlot[];
}

const frames = new AsyncLocalStorage<Frame>();
const nothing: readonly HeldSlot[] = [];

/** The slot of this pool that the running code is called in, if its call has not ended: the innermost one. */
export function slotOfChain(pool: SlotPool): HeldSlot | undefined {
  const held = frames.getStore()?.held ?? nothing;
  for (let i = held.length - 1; i >= 0; i--) {
    const slot = held[i];
    if (slot?.pool === pool && slot.isHeld) return slot;
  }
  return undefined;
}

/** Whether the running code is called in that slot. */
export function isInside(slot: HeldSlot): boolean {
  return slot.isHeld && frames.getStore()?.held.includes(slot) === true;
}

/** Runs a function inside a slot; only slots that are still held go on to it, so that chains don't grow. */
export function runInside<Result>(context: RetryContext, slot: HeldSlot | undefined, run: () => Result): Result {
  const outer = frames.getStore()?.held ?? nothing;
  const held = outer.length === 0 ? outer : outer.filter((other) => other.isHeld);
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
