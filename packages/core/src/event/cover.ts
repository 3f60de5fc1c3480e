import type { PartOf, RunnerOf } from './life-parts.ts';

/** An event as far as it can be covered by an await. */
interface Coverable {
  awaited: boolean;
  readonly settled: boolean;
  readonly parts: readonly PartOf<Coverable>[];
  readonly results: readonly RunnerOf<Coverable>[];
  readonly parent: RunnerOf<Coverable> | null;
}

/** Runs an event that a handler awaits, and all that its completion needs, ahead of the queues. */
export function coverAll(event: Coverable): void {
  const uncovered = [event];
  for (const next of uncovered) {
    if (next.awaited || next.settled) continue;
    next.awaited = true;
    for (const part of next.parts) part.promote();
    for (const runner of next.results) {
      if (!runner.settled) continue;
      for (const child of runner.children) if (keepsWaiting(child, runner, next)) uncovered.push(child);
    }
  }
}

/** One that was completed and dispatched again keeps nobody waiting. What a function of another side left is its child. */
function keepsWaiting({ parent }: Coverable, runner: RunnerOf<Coverable>, event: Coverable): boolean {
  return parent === runner || (parent !== null && parent.lifecycle === event && parent.settled);
}
