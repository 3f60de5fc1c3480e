import { type BusIdentity, startTimer, type Timer } from '@threadbus/core/internal';
import type { ResolvedWorkerOptions } from '../options.ts';
import { DebugWatch } from './debugged.ts';

/** Seconds after which it is looked again whether a debugger holds up one that is late. */
const debugPause = 1;

/** The start of a thread or process with a bus: it ends once, with the bus over there, or with why there is none. */
export class HostStart {
  /** Rejects if it ends before a bus is exposed. */
  readonly ready: Promise<BusIdentity>;
  #timer: Timer | null = null;
  #settle: { readonly resolve: (bus: BusIdentity) => void; readonly reject: (error: Error) => void } | null = null;

  /**
   * @param pid of the process that starts
   * @param onLate told when `startTimeout` is over; not beside a debugger
   */
  constructor(options: ResolvedWorkerOptions, pid: number, onLate: (timeout: number) => void) {
    this.ready = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    const { startTimeout } = options;
    if (startTimeout === null) return;
    const debugging = new DebugWatch(options);
    const endIn = (seconds: number): void => {
      this.#timer = startTimer(seconds, () => void look(), true);
    };
    const look = async (): Promise<void> => {
      const isHeld = await debugging.look(pid);
      if (!this.pending) return;
      if (isHeld) endIn(debugPause);
      else onLate(startTimeout);
    };
    endIn(startTimeout);
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
