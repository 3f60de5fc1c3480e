import type { Part } from '@threadbus/core/internal';

/** A part without results, of an event that nothing else would complete. */
export function emptyPart(): Part {
  return {
    nextPart: null,
    runners: [],
    onDone: null,
    over: true,
    promote: () => undefined,
    cancel: () => undefined,
    delivered: () => undefined,
    completed: () => undefined,
  };
}
