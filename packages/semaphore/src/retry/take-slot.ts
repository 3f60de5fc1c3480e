import { isSemaphoreTimeoutError } from '../basics/errors.ts';
import { poolIdentity } from '../basics/pool-identity.ts';
import type { Lease, SlotPool } from '../basics/slot-pool.ts';
import type { CallStop } from './call-stop.ts';
import { HeldSlot } from './held-slots.ts';
import type { HolderWait } from './nested-call.ts';
import type { ResolvedLimit } from './resolve-options.ts';

/**
 * The slot for a call to run in.
 *
 * @param wait the call was made inside such a slot
 * @returns `undefined` if the wait for it has ended without one
 */
export async function takeSlot(
  pool: SlotPool,
  { timeout }: ResolvedLimit,
  stop: CallStop | undefined,
  wait: HolderWait | undefined,
): Promise<HeldSlot | undefined> {
  try {
    if (wait?.slot.isHeld === true) return await takeEither(pool, timeout, stop, wait);
    return own(pool, await pool.acquire({ timeout, signal: stop?.signal }));
  } catch (error) {
    if (isSemaphoreTimeoutError(error) && stop?.isTimeUp !== true) return undefined;
    throw error;
  }
}

const own = (pool: SlotPool, lease: Lease): HeldSlot => new HeldSlot(poolIdentity(pool), lease, () => lease.release());

/** How many turns an `await` of the call's promise takes to show. */
const TURNS = 3;

/** The slot that the call was made in, as soon as its holder waits for the call and it is free; or one of its own. */
async function takeEither(
  pool: SlotPool,
  timeout: number | null,
  stop: CallStop | undefined,
  wait: HolderWait,
): Promise<HeldSlot> {
  const race = new SlotRace(pool, timeout, stop);
  wait.whenWaiting(() => race.borrow(wait.slot));
  // Whoever awaits the call does so at once as a rule: then the pool is not troubled.
  for (let turn = 0; turn < TURNS && !race.isOver; turn++) await Promise.resolve();
  race.acquire();
  return race.slot;
}

/** Two ways to a slot. The first one that gives it ends the other. */
class SlotRace {
  readonly slot: Promise<HeldSlot>;
  readonly #pool: SlotPool;
  readonly #timeout: number | null;
  readonly #stop: CallStop | undefined;
  readonly #acquiring = new AbortController();
  #settle!: { resolve: (slot: HeldSlot) => void; reject: (error: unknown) => void };
  #isOver = false;
  #leaveLine: (() => void) | undefined;

  constructor(pool: SlotPool, timeout: number | null, stop: CallStop | undefined) {
    this.#pool = pool;
    this.#timeout = timeout;
    this.#stop = stop;
    this.slot = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  borrow(slot: HeldSlot): void {
    if (this.#isOver) return;
    this.#leaveLine = slot.borrow((loan) => {
      this.#end();
      this.#acquiring.abort();
      this.#settle.resolve(loan);
    });
    // It may have been granted at once.
    if (this.#isOver) this.#leaveLine = undefined;
  }

  acquire(): void {
    if (this.#isOver) return;
    const { signal } = this.#acquiring;
    const offStop = this.#stop?.onStop(() => this.#acquiring.abort(this.#stop?.signal.reason));
    if (this.#stop?.signal.aborted === true) this.#acquiring.abort(this.#stop.signal.reason);
    this.#pool
      .acquire({ timeout: this.#timeout, signal })
      .then(
        (lease) => {
          // Granted at the moment at which the other way gave one.
          if (this.#isOver) void lease.release();
          else this.#won(own(this.#pool, lease));
        },
        (error: unknown) => {
          if (this.#isOver) return;
          this.#end();
          this.#settle.reject(error);
        },
      )
      .finally(offStop);
  }

  #won(slot: HeldSlot): void {
    this.#end();
    this.#settle.resolve(slot);
  }

  #end(): void {
    this.#isOver = true;
    this.#leaveLine?.();
  }
}
