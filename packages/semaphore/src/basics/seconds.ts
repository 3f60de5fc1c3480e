import { onAbort } from './abort.ts';

// Durations are seconds everywhere in the API; this file is the one place that turns them into timers.

/** The longest delay that a Node timer can hold; a longer one fires after 1 ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** A timer that can be stopped. */
export interface Timer {
  stop(): void;
}

/** Calls `onTime` after so many seconds, however many. Keeps the process alive meanwhile. */
export function startTimer(seconds: number, onTime: () => void): Timer {
  const deadline = performance.now() + seconds * 1000;
  let handle: NodeJS.Timeout;
  const arm = (): void => {
    const left = deadline - performance.now();
    // Rounded up: a timer that fires a fraction early would end a wait before its time.
    if (left > LONGEST_TIMER_MS) handle = setTimeout(arm, LONGEST_TIMER_MS);
    else handle = setTimeout(onTime, Math.max(0, Math.ceil(left)));
  };
  arm();
  return { stop: () => clearTimeout(handle) };
}

/** Resolves after so many seconds; rejects with the signal's reason as soon as it aborts. */
export function delay(seconds: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason as Error);
      return;
    }
    const stop =
      signal &&
      onAbort(signal, () => {
        timer.stop();
        reject(signal.reason as Error);
      });
    const timer = startTimer(seconds, () => {
      stop?.();
      resolve();
    });
  });
}

/** How a rejected value is shown in an error message. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : textOf(value);
  return `\`${text.length > 80 ? `${text.slice(0, 77)}...` : text}\` (${value === null ? 'null' : typeof value})`;
}

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return Object.prototype.toString.call(value); // Without a prototype, or its own toString throws.
  }
}

/** Reads a wait: 0 looks once, `null` and `Infinity` are no limit. */
export function readWait(name: string, value: number | null | undefined): number | null {
  if (value === null || value === undefined || value === Infinity) return null;
  if (typeof value === 'number' && value >= 0) return value;
  throw new TypeError(
    `Expected \`${name}\` to be a number of seconds >= 0, or null for no limit, got ${shown(value)}.`,
  );
}

/** Reads a number of slots. */
export function readLimit(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new TypeError(`Expected \`${name}\` to be an integer >= 1, got ${shown(value)}.`);
}
