import { startTimer, whenAborted } from '@threadbus/core/internal';

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

/** @returns false if the time was up first @throws the signal's reason */
export async function endsWithin(
  work: Promise<unknown>,
  until: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const ends: (() => void)[] = [];
  try {
    return await new Promise<boolean>((resolve, reject) => {
      void work.then(() => resolve(true));
      if (until !== Infinity) {
        const timer = startTimer(Math.max(0, until - performance.now()) / 1000, () => resolve(false), true);
        ends.push(() => timer.cancel());
      }
      if (signal !== undefined) ends.push(whenAborted(signal, () => reject(signal.reason as Error)));
    });
  } finally {
    for (const end of ends) end();
  }
}
