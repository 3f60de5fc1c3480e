// A slot has a flag for each thread that owns it or is about to find out whether it may: a file whose name says who it
// is. Owner := its flag is there, and a listing made AFTER the flag was made showed no other one of the slot. Then:
// 1. Of two that put up a flag the later one lists both: at most one is the owner. Maybe neither is; both try again.
// 2. A flag is removed by its owner, or by someone who has proof that the owner's thread has ended. Names never repeat,
//    so that a removal can't hit a successor.
// No clock and no order of steps between actors is assumed; a listing must have every file that was there all the time
// (POSIX). The steps are generators, one `yield` for each system call, so that a test can run all their interleavings,
// with a crash at every step (tests/semaphore/basics/slot-model.test.ts).
//
// The shorter way, a directory that only one can make, needs a way to remove it after a crash that can't remove the
// next owner's: that is where proper-lockfile lets two in. And `rmdir` was measured to take 1 ms on a busy machine.

/** One system call. */
export type Step =
  | { readonly call: 'create'; readonly flag: string }
  | { readonly call: 'list' }
  | { readonly call: 'unlink'; readonly flag: string }
  | { readonly call: 'isDead'; readonly flag: string };

/** What a system call gave: an error code, or what was asked for. */
export interface StepResult {
  /** `undefined`: it succeeded. */
  readonly code?: string | undefined;
  /** For `list`: the flags of the slot. */
  readonly flags?: readonly string[];
  /** For `isDead`. */
  readonly dead?: boolean;
}

export type Steps<Result> = Generator<Step, Result, StepResult>;

/** Takes the slot, unless anyone has it or tries for it. A failure that is not about others is handed back as its code. */
export function* claim(flag: string): Steps<'held' | 'busy' | { code: string }> {
  const created = yield { call: 'create', flag };
  if (created.code !== undefined) return { code: created.code };
  const { code, flags = [] } = yield { call: 'list' };
  if (code === undefined && flags.length === 1 && flags[0] === flag) return 'held';
  yield { call: 'unlink', flag };
  return code === undefined ? 'busy' : { code };
}

/** Gives the slot back. `lost`: someone had deleted the flag meanwhile. */
export function* release(flag: string): Steps<'released' | 'lost'> {
  const removed = yield { call: 'unlink', flag };
  return removed.code === 'ENOENT' ? 'lost' : 'released';
}

/** Frees the slot if everyone who has a flag is proven dead; any number of threads may do so at the same moment. */
export function* reap(): Steps<'free' | 'busy'> {
  const { flags = [] } = yield { call: 'list' };
  let alive = 0;
  for (const flag of flags) {
    const { dead } = yield { call: 'isDead', flag };
    if (dead === true) yield { call: 'unlink', flag };
    else alive++;
  }
  return alive > 0 ? 'busy' : 'free';
}
