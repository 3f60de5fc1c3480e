// Kept: programs and their tests may put a false clock in its place.
const { hrtime } = process;

/** Seconds by a clock that nobody sets and that all threads share; only differences mean something. */
export function monotonic(): number {
  const [seconds, nanoseconds] = hrtime();
  return seconds + nanoseconds / 1e9;
}
