import type { Runner } from '@threadbus/core/internal';

/** Calls back when all that the handlers have dispatched and not awaited is complete; at once if nothing is open. */
export function whenChildrenDone(runners: readonly Runner[], tell: () => void): void {
  let open = 1;
  const closed = (): void => {
    open -= 1;
    if (open === 0) tell();
  };
  for (const runner of runners) {
    for (const child of runner.children) {
      // One that was completed and dispatched again keeps nobody waiting.
      if (child.settled || child.parent !== runner) continue;
      open += 1;
      child.addWait({ runner, settle: closed });
    }
  }
  closed();
}
