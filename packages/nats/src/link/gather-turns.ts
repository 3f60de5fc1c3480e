import type { Link } from '@threadbus/link/internal';

/**
 * What handlers and callers make of a frame within the same turn goes back together: one by one, each of their answers
 * would be a frame to encode.
 */
export function gatherTurns(link: Link): void {
  let isGathering = false;
  link.onFrame.push(() => {
    if (isGathering) return;
    isGathering = true;
    // Reading the frame ends with a release of its own.
    queueMicrotask(() => link.outbox.gather());
    setImmediate(() => {
      isGathering = false;
      link.outbox.release();
    });
  });
}
