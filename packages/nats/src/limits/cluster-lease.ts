import { quietPause } from '../basics/waits.ts';
import { SemaphoreLostError } from './errors.ts';
import type { SlotMark, SlotStore } from './slot-store.ts';

/** Seconds between two tries to give a slot back; whoever gives it back doesn't wait for that. */
const freeingPause = 0.2;

/** What a lease is of. */
export interface LeasePlan {
  readonly store: SlotStore;
  readonly name: string;
  readonly slot: number;
  readonly mark: SlotMark;
  /** Seconds. */
  readonly lease: number;
  /** Whether the store can be asked at this moment. */
  readonly isUp: () => boolean;
  /** Told once, when it is released or lost. */
  readonly ended: (lease: ClusterLease) => void;
}

/**
 * A slot that is held over machines, until it is released or lost.
 *
 *   held ──release()──▶ released
 *    └── another has taken it, or it couldn't be renewed for `lease` seconds ──▶ lost
 *
 * The time counts from when this side last asked for a renewal that was granted; whoever takes over counts from when it
 * has seen that renewal, which is later: so the holder knows it first, if its clock runs and its thread turns.
 *
 * @example
 * ```ts
 * await using lease = await gpu.acquire();
 * await render({ fence: lease.token, signal: lease.signal });
 * ```
 */
export class ClusterLease implements AsyncDisposable {
  /** Rises with every acquire of the name: let what the semaphore protects refuse smaller ones. */
  readonly token: number;
  readonly #plan: LeasePlan;
  readonly #renewing: NodeJS.Timeout;
  #controller: AbortController | null = null;
  #lost: Error | null = null;
  #isReleased = false;
  #revision: number;
  #validUntil: number;
  /** The write that is under way: the next one needs its revision. */
  #writing: Promise<void> = Promise.resolve();

  /**
   * Made by `acquire`.
   *
   * @internal
   * @param askedAt when the slot was asked for, in monotonic milliseconds
   */
  constructor(plan: LeasePlan, token: number, askedAt: number) {
    this.token = token;
    this.#plan = plan;
    this.#revision = token;
    this.#validUntil = askedAt + plan.lease * 1000;
    this.#renewing = setInterval(() => this.#turn(), (plan.lease * 1000) / 4).unref();
  }

  /** Aborts when the slot is lost, with a SemaphoreLostError as reason. */
  get signal(): AbortSignal {
    // A process that was stopped may ask before its timers have had their turn.
    this.#checkTime();
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#lost !== null) this.#controller.abort(this.#lost);
    }
    return this.#controller.signal;
  }

  /** The slot's number. */
  get slot(): number {
    return this.#plan.slot;
  }

  /**
   * Gives the slot back. While the store can't be reached it settles at once, and the slot comes free when the store is
   * back, or after `lease` seconds. A lost lease changes nothing.
   *
   * @throws nothing: it never rejects
   * @example
   * ```ts
   * await lease.release();
   * ```
   */
  async release(): Promise<void> {
    this.#checkTime();
    if (this.#isReleased || this.#lost !== null) return;
    this.#isReleased = true;
    clearInterval(this.#renewing);
    this.#plan.ended(this);
    const freed = this.#free();
    if (this.#plan.isUp()) await freed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  /** The slot is another's, or soon will be. @internal */
  lose(why: string): void {
    if (this.#isReleased || this.#lost !== null) return;
    const { name, store, slot } = this.#plan;
    this.#lost = new SemaphoreLostError(name, store.keyOf(slot), why);
    clearInterval(this.#renewing);
    this.#plan.ended(this);
    this.#controller?.abort(this.#lost);
  }

  #checkTime(): void {
    if (performance.now() >= this.#validUntil) this.lose(`it could not be renewed for ${this.#plan.lease} s`);
  }

  #turn(): void {
    this.#checkTime();
    this.#writing = this.#writing.then(() => this.#renew());
  }

  async #renew(): Promise<void> {
    const { store, slot, mark, lease, isUp } = this.#plan;
    if (this.#isReleased || this.#lost !== null || !isUp()) return;
    const askedAt = performance.now();
    try {
      const revision = await store.writeSlot(slot, mark, this.#revision);
      if (revision === null) {
        await this.#recover();
        return;
      }
      this.#revision = revision;
      this.#validUntil = askedAt + lease * 1000;
    } catch {
      // Not granted, as far as is known: tried again at the next turn, unless nothing is there any more.
      if (isUp() && !(await store.exists().catch(() => true))) this.lose('the store has lost it');
    }
  }

  /** A renewal whose answer got lost was stored all the same: then the slot still bears this lease's mark. */
  async #recover(): Promise<void> {
    const { store, slot, mark } = this.#plan;
    try {
      const { value, revision } = await store.slot(slot);
      if (value?.owner === mark.owner) this.#revision = revision;
      else this.lose(value === null ? 'the store has lost it' : `${value.host} has taken it`);
    } catch {
      // Looked at again at the next turn.
    }
  }

  async #free(): Promise<void> {
    await this.#writing;
    const { store, slot, mark } = this.#plan;
    while (performance.now() < this.#validUntil) {
      try {
        if ((await store.writeSlot(slot, null, this.#revision)) !== null) return;
        const { value, revision } = await store.slot(slot);
        if (value?.owner !== mark.owner) return;
        this.#revision = revision;
      } catch {
        await quietPause(freeingPause);
      }
    }
  }
}
