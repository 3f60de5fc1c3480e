import { startTimer } from '../basics/timer.ts';
import { whenAborted } from '../basics/when-aborted.ts';

/** Options of waits that have no other. */
export interface WaitOptions {
  /** Limit in seconds; 0 = look once. @default none */
  readonly timeout?: number | null | undefined;
  /** Ends the wait with the signal's reason. @default none */
  readonly signal?: AbortSignal | undefined;
}

/** Those who wait until nothing is left to do. */
export class IdleWatch {
  #waiting: Set<(error?: Error) => void> | null = null;

  /** @returns true once `settle` was called, false when the time is up; rejects with the signal's reason */
  wait(timeout: number | null, signal: AbortSignal | undefined): Promise<boolean> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    if (timeout === 0) return Promise.resolve(false);
    const waiting = (this.#waiting ??= new Set());
    return new Promise((resolve, reject) => {
      const end = (): void => {
        waiting.delete(onIdle);
        timer?.cancel();
        stopListening?.();
      };
      const onIdle = (error?: Error): void => {
        end();
        if (error === undefined) resolve(true);
        else reject(error);
      };
      const onAbort = (): void => {
        end();
        reject(signal?.reason as Error);
      };
      const onTimeout = (): void => {
        end();
        resolve(false);
      };
      const stopListening = signal === undefined ? null : whenAborted(signal, onAbort);
      const timer = timeout === null ? null : startTimer(timeout, onTimeout, true);
      waiting.add(onIdle);
    });
  }

  settle(): void {
    if (this.#waiting === null) return;
    for (const onIdle of [...this.#waiting]) onIdle();
  }

  /** Ends all waits: what they wait for can't come for now. */
  refuse(error: Error): void {
    for (const onIdle of [...(this.#waiting ?? [])]) onIdle(error);
  }
}
