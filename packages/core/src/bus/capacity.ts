import { setImmediate } from '../basics/node-clock.ts';
import { whenAborted } from '../basics/when-aborted.ts';

/** Someone outside any handler who waits for a place. */
interface PlaceWait {
  grant(): void;
  refuse(error: Error): void;
}

/**
 * Counts the events of a bus that are queued, have a handler in progress, or wait for another bus or thread, and lets
 * those who want to dispatch wait for a free place.
 *
 * Each free place is *kept* for one of them, who has until the end of the event loop's turn to dispatch; an unused
 * place goes to the next. Handlers go first, because the places may depend on their return; all others are served in
 * the order in which they came.
 */
export class Capacity {
  readonly limit: number | null;
  #pending = 0;
  #kept = 0;
  #expiring = false;
  #handlers = 0;
  /** Both made when first needed: most buses never are full. */
  #onFreed: Set<() => void> | null = null;
  #waits: Set<PlaceWait> | null = null;

  constructor(limit: number | null) {
    this.limit = limit;
  }

  get pending(): number {
    return this.#pending;
  }

  /** No place, and none kept for whoever dispatches: forwarded events may have taken more than there were. */
  get full(): boolean {
    return this.limit !== null && this.#pending >= this.limit && this.#kept === 0;
  }

  enter(): void {
    this.#pending += 1;
  }

  leave(): void {
    this.#pending -= 1;
    this.#serve();
  }

  /** Someone dispatches: whether or not a place was kept for him, one of those is used up now. */
  use(): void {
    if (this.#kept > 0) this.#kept -= 1;
  }

  /** Keeps a place for the caller, if there is one. */
  keep(): boolean {
    if (this.limit === null) return true;
    if (this.#pending + this.#kept >= this.limit) return false;
    this.#kept += 1;
    if (!this.#expiring) {
      this.#expiring = true;
      setImmediate(() => this.#expire());
    }
    return true;
  }

  /** A wait outside any handler: resolves when a place is kept for it. */
  wait(signal: AbortSignal | undefined): Promise<void> {
    const waits = (this.#waits ??= new Set());
    if (waits.size === 0 && this.#handlers === 0 && this.keep()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = (): void => {
        waits.delete(wait);
        stopListening?.();
      };
      const wait: PlaceWait = {
        grant: () => {
          end();
          resolve();
        },
        refuse: (error) => {
          end();
          reject(error);
        },
      };
      const onAbort = (): void => wait.refuse(signal?.reason as Error);
      const stopListening = signal === undefined ? null : whenAborted(signal, onAbort);
      waits.add(wait);
    });
  }

  /** A handler begins to wait: it asks with `keep`, again whenever it is told `whenFreed`, until `handlerLeaves`. */
  handlerWaits(): void {
    this.#handlers += 1;
  }

  handlerLeaves(): void {
    this.#handlers -= 1;
    this.#serve();
  }

  /** Calls once, as soon as a place is free or none ever will be. @returns takes it back */
  whenFreed(call: () => void): () => void {
    (this.#onFreed ??= new Set()).add(call);
    return () => this.#onFreed?.delete(call);
  }

  /** Somebody waits for a place. */
  get waited(): boolean {
    return (this.#waits?.size ?? 0) > 0 || (this.#onFreed?.size ?? 0) > 0;
  }

  /** Ends all waits. */
  refuseAll(error: Error): void {
    for (const wait of [...(this.#waits ?? [])]) wait.refuse(error);
    this.#tellHandlers();
  }

  #serve(): void {
    if (this.#handlers > 0) {
      this.#tellHandlers();
      return;
    }
    if (this.#waits === null) return;
    for (const wait of this.#waits) {
      if (!this.keep()) return;
      wait.grant();
    }
  }

  #tellHandlers(): void {
    const calls = [...(this.#onFreed ?? [])];
    this.#onFreed = null;
    for (const call of calls) call();
  }

  #expire(): void {
    this.#expiring = false;
    if (this.#kept === 0) return;
    this.#kept = 0;
    this.#serve();
  }
}
