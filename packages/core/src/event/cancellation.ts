import { whenAborted } from '../basics/when-aborted.ts';
import { extrasOf } from './life-extras.ts';
import type { Cancellable } from './life-parts.ts';
import type { Lifecycle } from './lifecycle.ts';

/**
 * The signals with which an event was dispatched: one that aborts while the event is incomplete cancels it on every bus
 * that it is on or gets to, and so it stays. While the event is complete the signals hold nothing of it.
 */
class Cancellation implements Cancellable {
  aborted: { readonly reason: unknown } | null = null;
  readonly #lifecycle: Lifecycle;
  readonly #signals = new Map<AbortSignal, (() => void) | null>();

  constructor(lifecycle: Lifecycle) {
    this.#lifecycle = lifecycle;
  }

  add(signal: AbortSignal): void {
    if (!this.#signals.has(signal)) this.#signals.set(signal, null);
    if (this.#lifecycle.open) this.attached();
  }

  attached(): void {
    if (this.aborted !== null) return;
    for (const [signal, stop] of this.#signals) {
      if (signal.aborted) this.aborted ??= { reason: signal.reason as unknown };
      else if (stop === null) this.#signals.set(signal, this.#listen(signal));
    }
  }

  completed(): void {
    for (const [signal, stop] of this.#signals) {
      stop?.();
      this.#signals.set(signal, null);
    }
  }

  #listen(signal: AbortSignal): () => void {
    return whenAborted(signal, () => {
      this.#signals.set(signal, null);
      this.aborted ??= { reason: signal.reason as unknown };
      this.#lifecycle.cancel(signal.reason);
    });
  }
}

/** From now on the signal cancels the event, wherever it is. */
export function cancelWith(lifecycle: Lifecycle, signal: AbortSignal): void {
  const extras = extrasOf(lifecycle);
  extras.cancellation ??= new Cancellation(lifecycle);
  (extras.cancellation as Cancellation).add(signal);
}
