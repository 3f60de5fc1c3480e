import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

// Kept: programs may put a false clock in its place.
const { hrtime } = process;

/** Milliseconds of a clock that nobody sets, and that all threads and processes of one machine share. */
export function sharedNow(): number {
  // Not taken apart by `[seconds, nanoseconds]`, which makes three objects more.
  const time = hrtime();
  return time[0] * 1000 + time[1] / 1e6;
}

let machine: string | null = null;

/** Who says the same has the same clock: since its machine was started, if that is to be known. */
export function sharedClock(): string {
  machine ??= bootId() ?? hostname();
  return machine;
}

function bootId(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    // Only Linux has one.
    return null;
  }
}
