import { whenAborted } from '@threadbus/core/internal';

/** Those who wait for somebody's next state. */
export class StateChanges {
  readonly #waiting = new Set<() => void>();

  /** @throws the signal's reason */
  async next(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const onChange = (): void => {
        this.#waiting.delete(onChange);
        stopListening?.();
        resolve();
      };
      const onAbort = (): void => {
        this.#waiting.delete(onChange);
        reject(signal?.reason as Error);
      };
      const stopListening = signal === undefined ? null : whenAborted(signal, onAbort);
      this.#waiting.add(onChange);
    });
  }

  changed(): void {
    for (const onChange of [...this.#waiting]) onChange();
  }
}
