import { type BusIdentity, startTimer, type Timer } from '@threadbus/core/internal';

/** The start of a thread or process with a bus: it ends once, with the bus over there, or with why there is none. */
export class HostStart {
  /** Rejects if it ends before a bus is exposed. */
  readonly ready: Promise<BusIdentity>;
  readonly #timer: Timer | null;
  #settle: { readonly resolve: (bus: BusIdentity) => void; readonly reject: (error: Error) => void } | null = null;

  /**
   * @param timeout seconds; null = any time
   * @param onLate told when that time is over
   */
  constructor(timeout: number | null, onLate: (timeout: number) => void) {
    this.ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#timer = timeout === null ? null : startTimer(timeout, () => onLate(timeout), true);
  }

  /** It has not ended. */
  get pending(): boolean {
    return this.#settle !== null;
  }

  succeed(bus: BusIdentity): void {
    this.#end()?.resolve(bus);
  }

  /** Does nothing if the bus is up already. */
  fail(error: Error): void {
    this.#end()?.reject(error);
  }

  #end(): { readonly resolve: (bus: BusIdentity) => void; readonly reject: (error: Error) => void } | null {
    const settle = this.#settle;
    this.#settle = null;
    this.#timer?.cancel();
    return settle;
  }
}
