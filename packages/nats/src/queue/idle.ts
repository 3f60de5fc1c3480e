import { startTimer } from '@threadbus/core/internal';

/** Those who wait until nothing runs. */
export class Idle {
  readonly #waiting = new Set<() => void>();

  /** @returns when nothing runs, or the time is up */
  wait(timeout: number | null): Promise<void> {
    return new Promise<void>((resolve) => {
      const end = (): void => {
        timer?.cancel();
        this.#waiting.delete(end);
        resolve();
      };
      const timer = timeout === null ? null : startTimer(timeout, end, true);
      this.#waiting.add(end);
    });
  }

  /** Nothing runs. */
  tell(): void {
    for (const end of [...this.#waiting]) end();
  }
}
