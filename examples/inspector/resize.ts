/** Runs in a pool's thread, and takes the processor for itself. */
import type { Resize } from './events.js';

export default function resize({ width }: Resize): number {
  // One in a while never ends: its thread is ended, and another takes its place.
  const end = width % 97 === 0 ? Infinity : performance.now() + width;
  let work = 0;
  while (performance.now() < end) work += 1;
  return work;
}
