import { startTimer } from '@threadbus/core/internal';
import { endsWithin } from '../basics/waits.ts';

/** One call's place in the line. */
export class Turn {
  end: () => void = () => undefined;
  readonly over: Promise<void> = new Promise((resolve) => {
    this.end = resolve;
  });
}

/** Wakes the one that waits; rung before, it doesn't wait. */
export class Bell {
  #rung = false;
  #wake: () => void = () => undefined;

  ring(): void {
    this.#rung = true;
    this.#wake();
  }

  async wait(milliseconds: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = startTimer(Math.max(0, milliseconds) / 1000, resolve, true);
        this.#wake = () => {
          timer.cancel();
          resolve();
        };
      });
    }
    this.#rung = false;
    this.#wake = () => undefined;
  }
}

/**
 * What the work comes to, if that is in time.
 *
 * @param tooLate told what it came to later
 * @returns null if the time was up first
 * @throws the signal's reason
 */
export async function inTime<T>(
  work: Promise<T>,
  until: number,
  signal: AbortSignal | undefined,
  tooLate: (late: T) => void,
): Promise<T | null> {
  let isInTime = false;
  try {
    isInTime = await endsWithin(work, until, signal);
  } finally {
    if (!isInTime) void work.then(tooLate, () => undefined);
  }
  return isInTime ? work : null;
}
