import { startTimer, whenAborted } from '@threadbus/core/internal';

/** @returns false if the time was up first @throws the signal's reason */
export async function endsWithin(
  work: Promise<unknown>,
  until: number,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const ends: (() => void)[] = [];
  try {
    return await new Promise<boolean>((resolve, reject) => {
      work.then(() => resolve(true), reject);
      if (until !== Infinity) {
        const timer = startTimer(Math.max(0, until - performance.now()) / 1000, () => resolve(false), true);
        ends.push(() => timer.cancel());
      }
      if (signal?.aborted === true) reject(signal.reason as Error);
      else if (signal !== undefined) ends.push(whenAborted(signal, () => reject(signal.reason as Error)));
    });
  } finally {
    for (const end of ends) end();
  }
}

/** What the work comes to, or the signal's reason, if that is first: then nobody is told what the work comes to. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal !== undefined) await endsWithin(work, Infinity, signal);
  return work;
}

/** Waits so long. @throws the signal's reason */
export async function pause(seconds: number, signal?: AbortSignal): Promise<void> {
  await endsWithin(new Promise(() => undefined), performance.now() + seconds * 1000, signal);
}

/** As `pause`, but the process may end meanwhile. */
export async function quietPause(seconds: number): Promise<void> {
  await new Promise<void>((resolve) => void startTimer(seconds, resolve, false));
}
