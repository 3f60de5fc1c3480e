import type { CallRecord } from '../basics/records.ts';

const rank = { pending: 0, started: 1, lost: 2, completed: 3, error: 3 } as const;

/**
 * Two views of one call, the caller's and that of the thread that runs it, in whichever order they come.
 *
 * Who knows more of its end has the word. When it began to wait the caller knows, when it started the thread.
 */
export function mergeCall(known: CallRecord, told: CallRecord): CallRecord {
  const [less, more] = rank[told.status] >= rank[known.status] ? [known, told] : [told, known];
  return {
    ...more,
    thread: more.thread ?? less.thread,
    pid: more.pid ?? less.pid,
    called: known.called ?? told.called,
    started: finer(known.started, told.started),
    ended: more.ended ?? less.ended,
    error: more.error ?? less.error,
  };
}

/** A time with fractions was taken by who saw it; whole milliseconds may be what another has heard. */
function finer(one: number | null, other: number | null): number | null {
  if (one === null || other === null) return one ?? other;
  return Number.isInteger(one) ? other : one;
}
