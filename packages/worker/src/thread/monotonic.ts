// Kept: programs and their tests may put a false clock in its place.
const { hrtime } = process;

/** Seconds by a clock that nobody sets and that all threads share; only differences mean something. */
export function monotonic(): number {
  // Not taken apart by `[seconds, nanoseconds]`, which makes three objects more.
  const time = hrtime();
  return time[0] + time[1] / 1e9;
}
