/** An event on its buses, each of which can end its handlers. */
interface Cancelled {
  readonly parts: readonly { cancel(cause: unknown): void }[];
}

/** Events under cancellation and those that this leads to. */
const cancelling: [Cancelled, unknown][] = [];

/**
 * Cancels an event on every bus.
 *
 * Aborted handlers cancel further events from within: those take their turn, so that no depth exhausts the stack.
 */
export function cancelInTurn(event: Cancelled, cause: unknown): void {
  cancelling.push([event, cause]);
  if (cancelling.length > 1) return;
  try {
    for (const [next, reason] of cancelling) for (const part of next.parts) part.cancel(reason);
  } finally {
    cancelling.length = 0;
  }
}
