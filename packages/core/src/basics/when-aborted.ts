import { setMaxListeners } from 'node:events';

/**
 * All that waits for one signal, as one listener of it: a signal may end thousands of waits, and Node.js warns of more
 * than ten listeners.
 */
class AbortWatch {
  readonly #calls = new Set<() => void>();
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(call: () => void): void {
    if (this.#calls.size === 0) this.#signal.addEventListener('abort', this.#onAbort);
    this.#calls.add(call);
  }

  remove(call: () => void): void {
    if (this.#calls.delete(call) && this.#calls.size === 0) this.#signal.removeEventListener('abort', this.#onAbort);
  }

  readonly #onAbort = (): void => {
    this.#signal.removeEventListener('abort', this.#onAbort);
    // A call may take others back: what is gone from the set is not called any more.
    for (const call of this.#calls) {
      this.#calls.delete(call);
      call();
    }
  };
}

const watches = new WeakMap<AbortSignal, AbortWatch>();

/**
 * Calls once when the signal aborts; one that has aborted already calls nothing.
 *
 * @param call a function that nobody else adds to the signal
 * @returns takes it back; afterwards the signal holds nothing of it
 */
export function whenAborted(signal: AbortSignal, call: () => void): () => void {
  let watch = watches.get(signal);
  if (watch === undefined) {
    watch = new AbortWatch(signal);
    watches.set(signal, watch);
  }
  const taken = watch;
  taken.add(call);
  return () => taken.remove(call);
}

/** A controller whose signal may have any number of listeners: it is handed to users, who add theirs. */
export function newController(): AbortController {
  const controller = new AbortController();
  setMaxListeners(0, controller.signal);
  return controller;
}
